/** The commands about the sessions of agents: `omnia sessions ls`, `show`, `export` and `delete`. */
import { Command, Option } from "commander";
import { SESSION_STATES } from "../../http-api/session-views.ts";
import type { CommandContext } from "../command-line/create-command.ts";
import { positiveValue } from "../command-line/option-values.ts";
import {
  contextOption,
  localOption,
  namespaceOption,
  outputOption,
  tokenFileOption,
} from "../command-line/shared-options.ts";
import { gatewayURLOption } from "../gateway-api/gateway-flags.ts";
import type { DeleteFlags } from "./delete-sessions.ts";
import type { ListFlags } from "./list-sessions.ts";
import type { ExportFlags, ShowFlags } from "./show-session.ts";

const DEFAULT_LIMIT = 50;

export function sessionsCommand(context: CommandContext): Command {
  return new Command("sessions")
    .summary("list, show, export and delete the sessions of agents")
    .description(
      "Shows the sessions of agents, and deletes them. It asks the gateway: that of `omnia up`, that of a cluster through its API " +
        "server, or the one at --url. OMNIA_TOKEN, when set, says who asks; in a cluster it is else the token of the kubeconfig.",
    )
    .addCommand(listCommand(context))
    .addCommand(showCommand(context))
    .addCommand(exportCommand(context))
    .addCommand(deleteCommand(context))
    .addHelpText(
      "after",
      `
Examples:
  omnia sessions ls support                    the sessions that were used last
  omnia sessions ls agents/support --state failed
  omnia sessions show 2kXq…                    what was said and done, turn by turn
  omnia sessions export 2kXq… --format markdown > session.md
  omnia sessions delete 2kXq… --yes`,
    );
}

function listCommand({ streams, end }: CommandContext): Command {
  const command = new Command("ls")
    .alias("list")
    .argument("<agent>", "NAME or NAMESPACE/NAME of the agent")
    .summary("list the sessions of an agent")
    .description("Lists the sessions of an agent, those first that were used last.")
    .addOption(
      new Option("--state <state>", "only those in this state").choices([...SESSION_STATES]),
    )
    .option("--limit <number>", "how many are shown", positiveValue, DEFAULT_LIMIT);
  return withSharedOptions(command, "namespace of the agent")
    .addOption(outputOption("a table, or a JSON object"))
    .action(async (name: string, flags: ListFlags) => {
      const { printSessions } = await import("./list-sessions.ts");
      end(await printSessions(name, flags, streams));
    });
}

function showCommand({ streams, end }: CommandContext): Command {
  const command = new Command("show")
    .argument("<id>", "the session")
    .summary("show what was said and done in a session")
    .description(
      "Shows a session turn by turn: what was said, the tools that were called and how long they took, errors, versions and tokens.",
    );
  return withSharedOptions(command, "look for it in this namespace only")
    .addOption(agentOption())
    .addOption(outputOption("for people, or a JSON object"))
    .action(async (id: string, flags: ShowFlags) => {
      const { showSession } = await import("./show-session.ts");
      end(await showSession(id, flags, streams));
    });
}

function exportCommand({ streams, end }: CommandContext): Command {
  const command = new Command("export")
    .argument("<id>", "the session")
    .summary("print all of a session, as JSON or Markdown")
    .description("Prints all that is kept of a session, to be redirected into a file.")
    .addOption(
      new Option("--format <format>", "form of the document")
        .choices(["json", "markdown"])
        .default("json"),
    );
  return withSharedOptions(command, "look for it in this namespace only")
    .addOption(agentOption())
    .action(async (id: string, flags: ExportFlags) => {
      const { exportSession } = await import("./show-session.ts");
      end(await exportSession(id, flags, streams));
    });
}

function deleteCommand({ streams, end }: CommandContext): Command {
  const command = new Command("delete")
    .argument("<id...>", "the sessions")
    .summary("delete sessions")
    .description(
      "Deletes sessions with all that was said in them. A turn that runs in one is stopped. It asks first.",
    )
    .option("-y, --yes", "do not ask");
  return withSharedOptions(command, "look for them in this namespace only")
    .addOption(agentOption())
    .addOption(outputOption("for people, or a JSON object"))
    .action(async (ids: string[], flags: DeleteFlags) => {
      const { deleteSessions } = await import("./delete-sessions.ts");
      end(await deleteSessions(ids, flags, streams));
    });
}

function agentOption(): Option {
  return new Option(
    "--agent <agent>",
    "NAME or NAMESPACE/NAME of its agent (default: all agents are asked)",
  );
}

/** Elsewhere this is `--state`, which is the state of a session here. */
function stateFolderOption(): Option {
  return new Option(
    "--state-folder <folder>",
    "folder of the state of `omnia up` (default: one a port, under ~/.local/state/omnia)",
  );
}

function withSharedOptions(command: Command, namespace: string): Command {
  return command
    .addOption(namespaceOption(namespace))
    .addOption(localOption())
    .addOption(stateFolderOption())
    .addOption(contextOption())
    .addOption(gatewayURLOption())
    .addOption(tokenFileOption());
}
