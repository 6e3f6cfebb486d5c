import { Command } from "commander";
import type { CommandContext } from "../command-line/create-command.ts";
import { portValue } from "../command-line/option-values.ts";
import type { AgentOptions } from "./read-agent-arguments.ts";

/** For people. The operator and local mode start agents through `readAgentArguments`, which does without this command. */
export function agentCommand({ end }: CommandContext): Command {
  return new Command("agent")
    .summary("run one replica of an agent (started by the operator and by up)")
    .description(
      "Runs one replica of an agent from its agent config. The operator and `omnia up` start it; people seldom do.",
    )
    .option(
      "--config <file>",
      "the agent config (default: $OMNIA_CONFIG, else /etc/omnia/agent.json)",
    )
    .option("--host <address>", "address to listen at")
    .option("--port <port>", "port of the facade (default: as the agent config says)", portValue)
    .option(
      "--management-port <port>",
      "port of /healthz, /readyz and /metrics (default: 8081)",
      portValue,
    )
    .action(async (options: AgentOptions) => {
      const { startAgent } = await import("./start-agent.ts");
      end(await startAgent(options));
    });
}
