/** Decides what is written: from the flags, from what is found on this machine, and from the answers of a person. */
import { basename, resolve } from "node:path";
import { httpURL, text } from "../../api/fields/types.ts";
import { CliError, EXIT_CODES } from "../terminal/cli-error.ts";
import { agentNameProblem, DEFAULT_AGENT_NAME, suggestAgentName } from "./agent-name.ts";
import {
  findLocalServers,
  type FoundServer,
  listModels,
  localBaseURL,
  type Search,
} from "./find-models.ts";
import { MODEL_SOURCES, type ModelSource, type SourceName } from "./model-sources.ts";
import type { Option, Questions } from "./questions.ts";

export interface InitFlags {
  readonly provider?: SourceName | undefined;
  readonly model?: string | undefined;
  readonly baseUrl?: string | undefined;
  readonly purpose?: string | undefined;
  readonly name?: string | undefined;
  readonly yes?: boolean | undefined;
}

export interface InitPlan {
  readonly folder: string;
  readonly name: string;
  readonly purpose: string | undefined;
  readonly source: ModelSource;
  /** Whether nothing better was found, and nobody asked for it. */
  readonly isFallback: boolean;
  /** Not for a handler that runs no model. */
  readonly model: string | undefined;
  /** Where the provider's own address does not do. */
  readonly baseURL: string | undefined;
}

export interface PlanContext extends Search {
  readonly folder: string | undefined;
  readonly flags: InitFlags;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absent where nobody can be asked. */
  readonly questions: Questions | undefined;
}

const MAX_PURPOSE_LENGTH = 8_000;
const HELPER = "to help people with what they ask";

/** Rejects with a CliError when a flag is wrong, or one is missing and nobody can be asked. */
export async function makePlan(context: PlanContext): Promise<InitPlan> {
  const { flags, questions } = context;
  checkFlags(flags);
  const purpose =
    flags.purpose ?? (await questions?.ask("What is the agent for?", HELPER, purposeProblem));
  const { source, server, isFallback = false } = await chooseSource(context);
  const { model, baseURL } = await chooseModel(context, source, server);
  const byDefault =
    context.folder === undefined
      ? DEFAULT_AGENT_NAME
      : suggestAgentName(basename(resolve(context.folder)));
  const name =
    flags.name ??
    (await questions?.ask("What is it called?", byDefault, agentNameProblem)) ??
    byDefault;
  return {
    folder: context.folder ?? name,
    name,
    purpose: purpose === HELPER ? undefined : purpose,
    source: MODEL_SOURCES[source],
    isFallback,
    model,
    baseURL,
  };
}

function checkFlags({ provider, model, baseUrl, purpose, name }: InitFlags): void {
  const problem =
    (name === undefined ? undefined : agentNameProblem(name)) ??
    (purpose === undefined ? undefined : purposeProblem(purpose)) ??
    (model === undefined ? undefined : modelProblem(model)) ??
    (baseUrl === undefined || httpURL().safeParse(baseUrl).success
      ? undefined
      : "--base-url has to be an http or https URL without a user, like http://127.0.0.1:8000/v1.");
  if (problem !== undefined) throw usageError(problem);
  if (provider === undefined || MODEL_SOURCES[provider].kind !== "handler") return;
  if (model !== undefined || baseUrl !== undefined) {
    throw usageError(`"${provider}" runs no model: --model and --base-url do not go with it.`);
  }
}

/** What YAML does not take as it is, besides the ends of lines. */
const UNUSABLE_IN_TEXT = /[^\P{Cc}\n\t\r\u0085]|[\uFEFF\uFFFE\uFFFF\p{Cs}]/u;
const UNUSABLE_IN_LINE = /[\p{Cc}\p{Cs}\u2028\u2029\uFEFF\uFFFE\uFFFF]/u;

function purposeProblem(purpose: string): string | undefined {
  if (purpose.trim() === "") return "The purpose is empty.";
  if (purpose.length > MAX_PURPOSE_LENGTH) {
    return `The purpose has more than ${MAX_PURPOSE_LENGTH} characters. Put the rest into prompts.yaml.`;
  }
  if (UNUSABLE_IN_TEXT.test(purpose)) return "The purpose has control characters in it.";
  return purpose.includes("{{")
    ? "The purpose has {{ in it, which a template takes for a variable. Put it into prompts.yaml."
    : undefined;
}

function modelProblem(model: string): string | undefined {
  const isName = text(256).safeParse(model).success && model.trim() === model;
  return isName && !UNUSABLE_IN_LINE.test(model)
    ? undefined
    : "The name of a model has 1 to 256 characters, none of them a control character, and no blank around it.";
}

interface ChosenSource {
  readonly source: SourceName;
  /** What was found at its address, if it was looked for. */
  readonly server?: FoundServer | undefined;
  readonly isFallback?: boolean | undefined;
}

async function chooseSource(context: PlanContext): Promise<ChosenSource> {
  const { flags, questions } = context;
  if (flags.provider !== undefined) return { source: flags.provider };
  if (flags.baseUrl !== undefined) return { source: "openai" };
  const found = await findLocalServers(context.env, context);
  if (questions === undefined) return sourceWithoutAsking(flags, found);
  const here = found.map((server): Option<ChosenSource> => {
    const { source, models } = server;
    const more = models.length > 3 ? ` and ${models.length - 3} more` : "";
    const line = `${MODEL_SOURCES[source].title} on this machine: ${models.slice(0, 3).join(", ")}${more}`;
    return { value: { source, server }, name: source, line };
  });
  const elsewhere = (["openai", "anthropic", "google", "demo"] as const).map(
    (source): Option<ChosenSource> => {
      const { kind, title } = MODEL_SOURCES[source];
      const line = kind === "cloud" ? `${title}, with a key of yours` : title;
      return { value: { source }, name: source, line };
    },
  );
  if (flags.model !== undefined) elsewhere.pop();
  return await questions.choose("What answers?", [...here, ...elsewhere]);
}

function sourceWithoutAsking(flags: InitFlags, found: readonly FoundServer[]): ChosenSource {
  const { model } = flags;
  const server = found.find(({ models }) => model === undefined || models.includes(model));
  if (server !== undefined) return { source: server.source, server };
  if (model === undefined) return { source: "demo", isFallback: true };
  throw usageError(
    `No model server of this machine has the model "${model}".`,
    "Say with --provider whose model it is.",
  );
}

async function chooseModel(
  context: PlanContext,
  sourceName: SourceName,
  server: FoundServer | undefined,
): Promise<Pick<InitPlan, "model" | "baseURL">> {
  const { flags, questions } = context;
  const source: ModelSource = MODEL_SOURCES[sourceName];
  if (source.kind === "handler") return { model: undefined, baseURL: undefined };
  const baseURL =
    flags.baseUrl ??
    server?.baseURL ??
    (source.kind === "local" ? localBaseURL(sourceName, context.env) : undefined);
  if (flags.model !== undefined) return { model: flags.model, baseURL };
  if (baseURL === undefined || (source.kind === "cloud" && source.provider !== "openai")) {
    return { model: await chooseCloudModel(context, source), baseURL };
  }
  const { models, wantsKey } =
    server === undefined
      ? await listModels(baseURL, context, sourceName)
      : { models: server.models, wantsKey: false };
  const [first] = models;
  if (first !== undefined) {
    if (questions === undefined || models.length === 1) return { model: first, baseURL };
    const options = models.map((name) => ({ value: name, name, line: name }));
    return { model: await questions.choose("Which model?", options), baseURL };
  }
  const missing = wantsKey
    ? `${baseURL} wants a key before it lists its models.`
    : `${baseURL} lists no models.`;
  if (questions !== undefined) {
    questions.tell(missing);
    return { model: await questions.ask("Which model?", undefined, modelProblem), baseURL };
  }
  const cure =
    source.kind === "local" && !wantsKey
      ? `Start it (${source.start}), or give --model.`
      : "Give --model.";
  throw usageError(`${missing} So there is none to choose.`, cure);
}

async function chooseCloudModel(
  { questions }: PlanContext,
  source: ModelSource,
): Promise<string | undefined> {
  const suggestion = source.kind === "cloud" ? source.model : undefined;
  return (await questions?.ask("Which model?", suggestion, modelProblem)) ?? suggestion;
}

function usageError(message: string, cure?: string): CliError {
  return new CliError(message, { cure, exitCode: EXIT_CODES.usage });
}
