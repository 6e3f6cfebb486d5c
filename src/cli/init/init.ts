/** `omnia init`: writes the manifests of a new agent, which run as they are. */
import { join } from "node:path";
import { systemClock } from "../../time/clock.ts";
import { styled } from "../../observability/terminal/line.ts";
import { printLine } from "../../observability/terminal/writer.ts";
import { EXIT_CODES, type ExitCode } from "../terminal/cli-error.ts";
import { Interrupts } from "../terminal/interrupts.ts";
import { commandLine } from "../terminal/program-name.ts";
import type { Streams } from "../terminal/streams.ts";
import { AGENT_FILES, agentFiles, needsNoKey, type NewFile, secretNameOf } from "./agent-files.ts";
import { type InitFlags, type InitPlan, makePlan } from "./plan.ts";
import { Questions } from "./questions.ts";
import { refuseExisting, writeNewFiles } from "./write-new-files.ts";

const FALLBACK =
  "No model server answers on this machine (Ollama, llama.cpp, LM Studio), so the demo is taken. --provider names another.";
/** The port of `omnia up`, and one to take where a model server has that. */
const UP_PORT = 8080;
const OTHER_PORT = 8090;

export async function init(
  folder: string | undefined,
  flags: InitFlags,
  streams: Streams,
): Promise<ExitCode> {
  using interrupts = new Interrupts();
  const { signal } = interrupts;
  if (folder !== undefined) await refuseExisting(folder, AGENT_FILES);
  const canAsk = streams.stdin.isTTY === true && streams.stderr.isTTY === true;
  using questions = new Questions(streams, signal);
  const plan = await makePlan({
    folder,
    flags,
    env: streams.env,
    questions: canAsk && flags.yes !== true ? questions : undefined,
    signal,
    clock: systemClock,
  });
  if (plan.isFallback) printLine(streams.stderr, FALLBACK);
  const files = agentFiles(plan);
  await writeNewFiles(plan.folder, files);
  tell(plan, files, streams);
  return EXIT_CODES.ok;
}

function tell(plan: InitPlan, files: readonly NewFile[], { stdout }: Streams): void {
  const { name, folder, source, model, baseURL } = plan;
  // With an address of its own, what speaks a provider's protocol may be anybody's.
  const isOther = source.kind === "cloud" && baseURL !== undefined;
  const answering = isOther ? `the server at ${baseURL}` : source.title;
  const from = source.kind === "handler" ? "" : ` by ${answering}`;
  printLine(stdout, `${name} answers with ${model ?? source.title}${from}.`);
  printLine(stdout);
  const paths = files.map((file) => join(folder, file.name));
  const width = Math.max(...paths.map((path) => path.length));
  for (const [index, { about }] of files.entries()) {
    printLine(stdout, [`  ${(paths[index] ?? "").padEnd(width)}  `, styled("dim", about)]);
  }
  const needsKey = source.kind === "cloud" && !needsNoKey(plan);
  const quoted = shellWord(folder);
  printLine(stdout);
  printLine(stdout, "Run it on this machine, and talk to it from another terminal:");
  if (needsKey) printLine(stdout, `  export ${source.variable}=...`);
  const port = portOf(baseURL) === UP_PORT ? ` --port ${OTHER_PORT}` : "";
  printLine(stdout, `  ${commandLine(`up -f ${quoted}${port}`)}`);
  printLine(stdout, `  ${commandLine(`chat ${name}`)}`);
  printLine(stdout);
  printLine(stdout, "Or in a cluster that has the operator:");
  if (needsKey) {
    printLine(
      stdout,
      `  kubectl create secret generic ${secretNameOf(plan)} --from-literal=api-key=...`,
    );
  }
  printLine(stdout, `  kubectl apply -f ${quoted}`);
}

/** The port of a server of this machine, where `omnia up` cannot listen at the same time. */
function portOf(baseURL: string | undefined): number | undefined {
  if (baseURL === undefined) return undefined;
  const { hostname, port } = new URL(baseURL);
  return /^(127\.|localhost$|\[::1\]$)/.test(hostname) ? Number(port) : undefined;
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
