#!/usr/bin/env node
/** Reads the command line and starts a role. An agent is started without what the other commands need. */
import { nodeVersionProblem } from "../src/cli/node-version.ts";

// All but the writer is imported only then, since an older Node.js may not even be able to read it.
const problem = nodeVersionProblem(process.versions.node);
if (problem === undefined) await run();
else {
  const { printLine } = await import("../src/observability/terminal/writer.ts");
  printLine(process.stderr, `omnia: ${problem}`);
  process.exitCode = 1;
}

async function run(): Promise<void> {
  const [role, ...roleArguments] = process.argv.slice(2);
  const { readAgentArguments } = await import("../src/cli/agent/read-agent-arguments.ts");
  const agentOptions = role === "agent" ? readAgentArguments(roleArguments) : undefined;
  if (agentOptions !== undefined) {
    const { startAgent } = await import("../src/cli/agent/start-agent.ts");
    process.exitCode = await startAgent(agentOptions);
    return;
  }
  const { main, report } = await import("../src/cli/main.ts");
  process.on("uncaughtException", (error) => process.exit(report(error, process)));
  for (const stream of [process.stdout, process.stderr]) {
    // Whoever read the output has gone (`omnia crds | head`): the command still ends with its own exit code.
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  }
  process.exitCode = await main(process.argv.slice(2), process);
}
