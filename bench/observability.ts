/**
 * What it costs that turns can be seen: the seams of the traces while they are off, the line of a turn, and traces that are exported.
 * An agent without traces, whose log has errors only, is the floor.
 */
import type { Measurement } from "./bench.ts";
import { MeasuredProcess } from "./measured-process.ts";
import { median } from "./median.ts";
import { TurnClient } from "./turn-client.ts";
import { activeSpan, traceHeaders, withSpan } from "../src/observability/tracing/active-span.ts";

const TURNS = 2_000;
const ROUNDS = 5;
const SEAMS = 1_000_000;
/** Nothing listens there: what is exported is lost, which costs an agent no less than a collector that takes it. */
const ENDPOINT = "http://127.0.0.1:9";
const MAX_SEAM_NANOSECONDS = 500;
const MAX_LINE_RATIO = 1.5;
const MAX_TRACED_RATIO = 2;
const MAX_MEGABYTES_OFF = 2;

export async function measureObservability(): Promise<Measurement[]> {
  const echo = { handler: "echo" } as const;
  await using plain = await MeasuredProcess.startAgent(echo);
  await using disabled = await MeasuredProcess.startAgent(
    echo,
    {},
    {
      OTEL_EXPORTER_OTLP_ENDPOINT: ENDPOINT,
      OTEL_SDK_DISABLED: "true",
    },
  );
  await using logging = await MeasuredProcess.startAgent(echo, {}, { LOG_LEVEL: "info" });
  await using traced = await MeasuredProcess.startAgent(
    echo,
    {},
    {
      OTEL_EXPORTER_OTLP_ENDPOINT: ENDPOINT,
    },
  );
  const [floorMegabytes, offMegabytes] = [
    await plain.residentMegabytes(),
    await disabled.residentMegabytes(),
  ];
  const tracedMegabytes = await traced.residentMegabytes();
  const [floor, withLine, withTraces] = await turnCosts([plain, logging, traced]);
  return [
    seams(),
    ratio("CPU of an echo turn with its line in the log", withLine, floor, MAX_LINE_RATIO),
    ratio("CPU of an echo turn whose trace is exported", withTraces, floor, MAX_TRACED_RATIO),
    {
      what: "Memory that traces take while they are off",
      measured: `${offMegabytes.toFixed(1)} MB (exported: ${tracedMegabytes.toFixed(1)} MB)`,
      floor: `${floorMegabytes.toFixed(1)} MB (no variable of OpenTelemetry is set)`,
      result: `${(offMegabytes - floorMegabytes).toFixed(1)} MB`,
      target: `≤ ${MAX_MEGABYTES_OFF} MB`,
      withinTarget: offMegabytes - floorMegabytes <= MAX_MEGABYTES_OFF,
    },
  ];
}

/** A request to a model or a tool passes each of these once. */
function seams(): Measurement {
  const work = (): number => Object.keys(traceHeaders()).length;
  let count = 0;
  const before = process.cpuUsage();
  for (let at = 0; at < SEAMS; at++) count += withSpan(activeSpan(), work);
  const { user, system } = process.cpuUsage(before);
  if (count !== 0) throw new Error("something is traced");
  const nanoseconds = ((user + system) * 1_000) / SEAMS;
  return {
    what: "CPU of a request's seams while traces are off",
    measured: `${nanoseconds.toFixed(0)} ns`,
    floor: "0 ns",
    result: `${nanoseconds.toFixed(0)} ns`,
    target: `≤ ${MAX_SEAM_NANOSECONDS} ns`,
    withinTarget: nanoseconds <= MAX_SEAM_NANOSECONDS,
  };
}

/** Microseconds of a turn of each, which take turns, so that a machine that is busy for a while is so for all. */
async function turnCosts(
  agents: readonly [MeasuredProcess, MeasuredProcess, MeasuredProcess],
): Promise<[number, number, number]> {
  const costs: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [index, agent] of agents.entries()) {
      const client = await TurnClient.connect(agent.port);
      const before = await agent.cpuSeconds();
      for (let turn = 0; turn < TURNS; turn++) await client.turn("How are you today?");
      const microseconds = (((await agent.cpuSeconds()) - before) * 1e6) / TURNS;
      client.close();
      // The first round warms up.
      if (round > 0) costs[index]?.push(microseconds);
    }
  }
  return [median(costs[0]), median(costs[1]), median(costs[2])];
}

function ratio(what: string, measured: number, floor: number, target: number): Measurement {
  return {
    what,
    measured: `${measured.toFixed(1)} µs`,
    floor: `${floor.toFixed(1)} µs (neither line nor trace)`,
    result: `${(measured / floor).toFixed(2)} times the floor`,
    target: `≤ ${target}`,
    withinTarget: measured / floor <= target,
  };
}
