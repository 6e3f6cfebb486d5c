/**
 * The command line: every command with its flags, its help, and where its module is. A command's module is loaded only
 * when the command runs.
 */
import { Command, InvalidArgumentError, Option } from "commander";
import packageJSON from "../../package.json" with { type: "json" };
import { DurationError, parseDuration } from "../api/fields/duration.ts";
import { EXIT_CODES, type ExitCode } from "./terminal/cli-error.ts";
import { parsePort } from "./terminal/port.ts";
import type { AgentOptions } from "./agent/read-agent-arguments.ts";
import type {
  ChatFlags,
  ConformanceFlags,
  ExplainFlags,
  OperatorFlags,
  StatusFlags,
  UpFlags,
  ValidateFlags,
} from "./flags.ts";
import type { Streams } from "./terminal/streams.ts";

const EXAMPLES = `
Examples:
  omnia up                              run the quickstart agent, which needs no key
  omnia up -f agents/                   run the agents of a folder, and follow its files
  omnia chat quickstart                 talk to an agent
  omnia chat quickstart -m "hello"      one question, one answer
  omnia validate -f agents/             check files without running anything
  omnia status                          what runs, and how it is
  omnia explain quickstart              why an agent is not ready, and what to do

Exit codes: 0 well, 1 what was asked failed, 2 the command line is wrong.`;

const RESYNC_MS = 10 * 60 * 60_000;
const MIN_RESYNC_MS = 1_000;
const CHECK_TIMEOUT_MS = 60_000;
const MIN_CHECK_TIMEOUT_MS = 100;

/** From the environment the namespaces come as one text, separated by commas. */
type RawOperatorFlags = Omit<OperatorFlags, "resyncMs" | "namespace"> & {
  resync: number;
  namespace?: string | string[];
};

/** Runs the command that `args` (without node and script) names. Rejects with CommanderError or whatever a command threw. */
export async function runProgram(args: readonly string[], streams: Streams): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT_CODES.ok;
  const program = buildProgram(streams, (code) => {
    exitCode = code;
  });
  await program.parseAsync([...args], { from: "user" });
  return exitCode;
}

function buildProgram(streams: Streams, ends: (exitCode: ExitCode) => void): Command {
  const program = new Command("omnia");
  program
    .description(
      "Runs AI agents that are declared as Kubernetes resources, in a cluster or on one machine.",
    )
    .version(packageJSON.version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [command]", "print help for a command")
    .addHelpText("after", EXAMPLES)
    .configureOutput({
      writeOut: (text) => streams.stdout.write(text),
      writeErr: (text) => streams.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, "omnia: ")),
      getOutHelpWidth: () => streams.stdout.columns ?? 80,
      getErrHelpWidth: () => streams.stderr.columns ?? 80,
    })
    .exitOverride();

  const command = (nameAndArguments: string): Command =>
    program
      .command(nameAndArguments)
      .helpOption("-h, --help", "print help")
      .showHelpAfterError(`Try: omnia ${nameAndArguments.split(" ")[0]} --help`);

  command("up")
    .summary("run agents on this machine")
    .description(
      "Runs the agents of your manifests on this machine, without a cluster, and serves them at one address.\n" +
        "Files are watched: an edit takes effect without a restart.",
    )
    .option(
      "-f, --filename <path...>",
      "manifests: files or folders (default: the bundled quickstart)",
    )
    .option("--port <port>", "port to serve at", port, 8080)
    .option(
      "--host <address>",
      "address to serve at; anything but loopback is reachable by others",
      "127.0.0.1",
    )
    .addOption(stateOption())
    .option("--no-open", "do not open the browser")
    .addHelpText(
      "after",
      `
Keys: Ctrl-C lets the agents finish what they do, and ends; pressed again it ends at once.

Examples:
  omnia up
  omnia up -f agents/ -f shared/secrets.yaml --port 9000`,
    )
    .action(async (options: UpFlags) => {
      const { up } = await import("./up/up.ts");
      ends(await up(options, streams));
    });

  command("chat <name>")
    .summary("talk to an agent")
    .description(
      "Talks to an agent: one that `omnia up` runs here, or any other by --url.\n" +
        "Without -m it asks for messages; when the input is no terminal, each of its lines is one message.\n" +
        "OMNIA_TOKEN, when set, is sent as the bearer token.",
    )
    .addOption(namespaceOption("namespace of the agent"))
    .option("--url <url>", "address of a gateway or of an agent (default: the local one)")
    .option("-m, --message <text>", "send this, print the answer, and end")
    .option("--session <id>", "go on with an earlier session")
    .addOption(outputOption("the answer, or the frames as they come, one a line"))
    .addHelpText(
      "after",
      `
Keys: Ctrl-C stops an answer; pressed again it ends the chat, as Ctrl-D and /quit do.

Examples:
  omnia chat quickstart
  omnia chat quickstart -m "What is the weather in Paris?"
  omnia chat support -n agents --url wss://agents.example.com -m hello -o json`,
    )
    .action(async (name: string, options: ChatFlags) => {
      const { chat } = await import("./chat/chat.ts");
      ends(await chat(name, options, streams));
    });

  command("validate")
    .summary("check manifests, offline")
    .description(
      "Checks manifests without a cluster and without running anything. A reference is checked where the object that it\n" +
        "names is among the files, and noted where it is not.",
    )
    .requiredOption(
      "-f, --filename <path...>",
      "manifests: files, folders, or - for the standard input",
    )
    .addOption(outputOption("one problem a line, or a JSON object"))
    .addHelpText(
      "after",
      `
Examples:
  omnia validate -f agents/ -f shared/secrets.yaml
  helm template my-release | omnia validate -f -`,
    )
    .action(async (options: ValidateFlags) => {
      const { validate } = await import("./validate/validate.ts");
      ends(await validate(options, streams));
    });

  command("status")
    .summary("show agents, packs and tools with their conditions")
    .description(
      "Shows agents, prompt packs and tool registries: those of `omnia up` if it runs, else of the current cluster.",
    )
    .addOption(namespaceOption("only of this namespace (default: all)"))
    .addOption(stateOption())
    .addOption(outputOption("a table, or the resources as JSON"))
    .action(async (options: StatusFlags) => {
      const { status } = await import("./resources/status.ts");
      ends(await status(options, streams));
    });

  command("explain <name>")
    .summary("say why something is not ready, and what to do")
    .description(
      "Says why an agent, a prompt pack or a tool registry is not ready, and the one thing to do.\n" +
        "NAME is KIND/NAME with agentruntime (ar), promptpack (pp) or toolregistry (tr); alone it is an agent.",
    )
    .addOption(namespaceOption("namespace, when the name is in several"))
    .addOption(stateOption())
    .addOption(outputOption("sentences, or a JSON object"))
    .addHelpText(
      "after",
      `
Examples:
  omnia explain quickstart
  omnia explain pp/customer-service-prompts -n agents`,
    )
    .action(async (name: string, options: ExplainFlags) => {
      const { explain } = await import("./resources/explain.ts");
      ends(await explain(name, options, streams));
    });

  command("crds")
    .summary("print the CustomResourceDefinitions as YAML")
    .description("Prints the CustomResourceDefinitions of the three kinds as YAML.")
    .addHelpText("after", "\nExample:\n  omnia crds | kubectl apply --server-side -f -")
    .action(async () => {
      const { crds } = await import("./crds.ts");
      ends(crds(streams));
    });

  command("conformance [url]")
    .summary("check that an endpoint speaks the WebSocket protocol")
    .description(
      "Runs checks of the WebSocket protocol against an endpoint: an agent's own port, a gateway, or whatever else speaks it\n" +
        "(default: the `omnia up` that runs here). An agent with a model will be asked some dozens of short questions.\n" +
        "Without --token it sends OMNIA_TOKEN, when that is set.",
    )
    .option("--agent <name>", "name of the agent; a gateway needs it")
    .addOption(namespaceOption("namespace of the agent"))
    .option("--token <token>", "token to send as the bearer")
    .addOption(
      new Option("--handler <handler>", "what answers there")
        .choices(["echo", "demo", "unknown"])
        .default("unknown"),
    )
    .addOption(
      new Option("--timeout <duration>", "time for each check")
        .argParser(checkTimeoutMs)
        .default(CHECK_TIMEOUT_MS, "60s"),
    )
    .addOption(outputOption("a table, or a JSON object"))
    .addHelpText(
      "after",
      `
Examples:
  omnia conformance --agent quickstart --handler demo
  omnia conformance wss://agents.example.com/ws --agent support -n agents -o json`,
    )
    .action(async (url: string | undefined, options: ConformanceFlags) => {
      const { conformance } = await import("./conformance/conformance.ts");
      ends(await conformance(url, options, streams));
    });

  command("operator")
    .summary("run the control plane in a cluster")
    .description(
      "Watches AgentRuntimes, PromptPacks and ToolRegistries, and makes what they ask for. The Helm chart starts it; anywhere\n" +
        "else it works on the cluster of the kubeconfig. Of several that run, one leads, and the others stand by.",
    )
    .addOption(
      new Option("--namespace <namespace...>", "watch only these namespaces (default: all)").env(
        "OMNIA_WATCH_NAMESPACES",
      ),
    )
    .option(
      "--kubeconfig <file>",
      "kubeconfig (default: $KUBECONFIG, ~/.kube/config, else the pod's)",
    )
    .option("--context <name>", "context of the kubeconfig")
    .addOption(
      new Option("--agent-image <image>", "image of agents that name none").env(
        "OMNIA_AGENT_IMAGE",
      ),
    )
    .addOption(
      new Option("--agent-image-pull-policy <policy>", "when that image is pulled").choices([
        "Always",
        "IfNotPresent",
        "Never",
      ]),
    )
    .option("--no-leader-elect", "lead at once, whoever else runs")
    .addOption(
      new Option(
        "--leader-election-namespace <namespace>",
        "namespace of the lease (default: the one of the pod)",
      ).env("POD_NAMESPACE"),
    )
    .option("--kube-api-qps <number>", "requests to the API server a second", positive, 50)
    .option("--kube-api-burst <number>", "requests at once, before they are spread", positive, 100)
    .option("--workers <number>", "resources of a kind that are worked on at once", positive, 100)
    .addOption(
      new Option("--resync <duration>", "look at everything again this often")
        .argParser(resyncMs)
        .default(RESYNC_MS, "10h"),
    )
    .option("--management-port <port>", "port of /healthz, /readyz and /metrics", port, 8081)
    .action(async ({ resync, namespace, ...options }: RawOperatorFlags) => {
      const { operator } = await import("./operator/operator.ts");
      const namespaces = [namespace ?? []].flat().flatMap((value) => value.split(","));
      const watched = namespaces.map((value) => value.trim()).filter((value) => value !== "");
      ends(await operator({ ...options, resyncMs: resync, namespace: watched }, streams));
    });

  command("agent")
    .summary("run one replica of an agent (started by the operator and by up)")
    .description(
      "Runs one replica of an agent from its agent config. The operator and `omnia up` start it; people seldom do.",
    )
    .option(
      "--config <file>",
      "the agent config (default: $OMNIA_CONFIG, else /etc/omnia/agent.json)",
    )
    .option("--host <address>", "address to listen at")
    .option("--port <port>", "port of the facade (default: as the agent config says)", port)
    .option(
      "--management-port <port>",
      "port of /healthz, /readyz and /metrics (default: 8081)",
      port,
    )
    .action(async (options: AgentOptions) => {
      const { startAgent } = await import("./agent/start-agent.ts");
      ends(await startAgent(options));
    });

  return program;
}

function namespaceOption(description: string): Option {
  return new Option("-n, --namespace <namespace>", description);
}

function outputOption(description: string): Option {
  return new Option("-o, --output <format>", description).choices(["text", "json"]).default("text");
}

function stateOption(): Option {
  return new Option(
    "--state <folder>",
    "folder of the state of `omnia up` (default: one a port, under ~/.local/state/omnia)",
  );
}

function port(text: string): number {
  try {
    return parsePort(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function positive(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 10_000) return value;
  throw new InvalidArgumentError("It must be a whole number from 1 to 10000.");
}

function resyncMs(text: string): number {
  return durationOf(
    text,
    MIN_RESYNC_MS,
    "It must be a duration of 1s or more, such as 10h or 30m.",
  );
}

function checkTimeoutMs(text: string): number {
  return durationOf(
    text,
    MIN_CHECK_TIMEOUT_MS,
    "It must be a duration of 100ms or more, such as 60s.",
  );
}

function durationOf(text: string, min: number, otherwise: string): number {
  try {
    const value = parseDuration(text);
    if (value >= min) return value;
  } catch (error) {
    if (!(error instanceof DurationError)) throw error;
  }
  throw new InvalidArgumentError(otherwise);
}
