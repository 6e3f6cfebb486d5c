/**
 * Hosts the JavaScript module of `OMNIA_RUNTIME` in a process of its own: its `run(input, { signal })` is asked for the events of
 * each run, as docs/runtimes.md describes it.
 */
import { createProcessLog } from "../../observability/log.ts";
import { startModuleHost } from "./serve-module.ts";

// The input ends when the agent is gone.
process.stdin.resume().on("end", () => process.exit(0));

const [module = ""] = process.argv.slice(2);
await startModuleHost({
  module,
  port: Number(process.env["PORT"]),
  folder: process.cwd(),
  log: createProcessLog(process.env),
});
