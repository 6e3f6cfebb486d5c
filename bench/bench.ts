/**
 * Measures what an agent costs and what the operator does, as ratios to a floor that is measured in the same run: so the numbers
 * mean the same on a slow machine and on a fast one. These are no tests; nothing fails.
 *
 *     make bench                          everything
 *     make bench ARGS="echo-cpu memory"   only these
 */
import { measureEchoCPU } from "./echo-cpu.ts";
import { measureFirstChunk } from "./first-chunk.ts";
import { measureGateway } from "./gateway.ts";
import { measureGrpcToolCalls } from "./grpc-tool-calls.ts";
import { measureHostileInput } from "./hostile-input.ts";
import { measureIdleConnections } from "./idle-connections.ts";
import { measureKnownAttacks } from "./known-attacks.ts";
import { measureMemory } from "./memory.ts";
import { measureOperatorChurn } from "./operator-churn.ts";
import { measureObservability } from "./observability.ts";
import { measureOperatorScale } from "./operator-scale.ts";
import { measurePackReading } from "./pack-reading.ts";
import { measureSessionLength } from "./session-length.ts";
import { measureStreamCPU } from "./stream-cpu.ts";
import { measureMcpToolCalls } from "./mcp-tool-calls.ts";
import { measureToolCalls } from "./tool-calls.ts";
import { measureValidators } from "./validators.ts";

export interface Measurement {
  readonly what: string;
  readonly measured: string;
  readonly floor: string;
  /** The ratio or the difference that the target is about. */
  readonly result: string;
  readonly target: string;
  readonly withinTarget: boolean;
}

const BENCHES: Record<string, () => Promise<Measurement[]>> = {
  "echo-cpu": measureEchoCPU,
  "stream-cpu": measureStreamCPU,
  "first-chunk": measureFirstChunk,
  "session-length": measureSessionLength,
  memory: measureMemory,
  "idle-connections": measureIdleConnections,
  gateway: measureGateway,
  "hostile-input": measureHostileInput,
  "known-attacks": measureKnownAttacks,
  observability: measureObservability,
  "operator-scale": measureOperatorScale,
  "operator-churn": measureOperatorChurn,
  "tool-calls": measureToolCalls,
  validators: measureValidators,
  "pack-reading": measurePackReading,
  "grpc-tool-calls": measureGrpcToolCalls,
  "mcp-tool-calls": measureMcpToolCalls,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  console.error(`There is no ${unknown.join(", ")}; there are: ${Object.keys(BENCHES).join(", ")}`);
  process.exit(2);
}

for (const [name, measure] of Object.entries(BENCHES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(`\n${name}`);
  for (const { what, measured, floor, result, target, withinTarget } of await measure()) {
    console.log(`  ${what}: ${result} (target ${target}${withinTarget ? "" : ", MISSED"})`);
    console.log(`    measured ${measured}, floor ${floor}`);
  }
}
