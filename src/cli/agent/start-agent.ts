/** `omnia agent`: runs one agent as a process, with its signals, its log and the channel to its supervisor. */
import packageJSON from "../../../package.json" with { type: "json" };
import { runAgent } from "../../agent/agent.ts";
import { AGENT_CONFIG_PATH, REPLICA_VARIABLE } from "../../agent-config/agent-config.ts";
import { SecretValues } from "../../observability/secrets/secret-values.ts";
import { createProcessLog } from "../../observability/log.ts";
import type { AgentOptions } from "./read-agent-arguments.ts";
import { EXIT_CODES, type ExitCode } from "../terminal/cli-error.ts";

/** Settles when the agent has ended. The first SIGTERM or SIGINT drains it, and the second ends it at once. */
export async function startAgent(options: AgentOptions): Promise<ExitCode> {
  const { env } = process;
  const secretValues = new SecretValues();
  const log = createProcessLog(env, { secretValues });
  process.on("uncaughtException", (error) => {
    log.error({ error }, "The agent failed");
    process.exit(EXIT_CODES.failed);
  });

  const ending = new AbortController();
  const end = (): void => {
    if (ending.signal.aborted) process.exit(EXIT_CODES.failed);
    ending.abort();
  };
  process.on("SIGTERM", end).on("SIGINT", end);
  // The channel closes when the `omnia up` that started this agent is gone, for whatever reason.
  process.on("disconnect", () => ending.abort());

  try {
    const agent = await runAgent({
      configPath: options.config ?? (env["OMNIA_CONFIG"] || AGENT_CONFIG_PATH),
      host: options.host,
      facadePort: options.port,
      managementPort: options.managementPort,
      signal: ending.signal,
      log,
      secretValues,
      env,
      replica: env[REPLICA_VARIABLE] || undefined,
      version: packageJSON.version,
      onRuntimeProcess: (pid) => {
        if (process.connected) process.send?.({ type: "runtime-process", pid: pid ?? null });
      },
      onListening: (ports) => {
        if (process.connected) process.send?.({ type: "listening", ...ports });
      },
    });
    await agent.closed;
    return EXIT_CODES.ok;
  } catch (error) {
    log.error({ error }, "The agent could not be started");
    return EXIT_CODES.failed;
  } finally {
    // Otherwise the channel to the supervisor would keep the process alive.
    process.channel?.unref();
  }
}
