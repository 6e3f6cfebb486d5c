/** Finds model servers of this machine, and asks a server which models it has. */
import { z } from "zod";
import type { Clock } from "../../time/clock.ts";
import { Deadline } from "../../time/deadline.ts";
import { MODEL_SOURCES, type LocalSource, type SourceName } from "./model-sources.ts";

/** A server of this machine answers at once, or is not there. */
const ANSWER_LIMIT_MS = 2_000;
const MAX_ANSWER_BYTES = 1024 * 1024;
const MAX_MODELS = 100;
const MAX_MODEL_NAME_LENGTH = 256;

export interface FoundServer {
  readonly source: SourceName;
  readonly baseURL: string;
  /** At least one. */
  readonly models: readonly string[];
}

export interface Search {
  readonly signal: AbortSignal;
  readonly clock: Pick<Clock, "setTimer">;
}

/** The servers of this machine that have a model, in the order in which the sources are listed. */
export async function findLocalServers(
  env: Readonly<Record<string, string | undefined>>,
  search: Search,
): Promise<FoundServer[]> {
  const sources = Object.entries(MODEL_SOURCES) as [SourceName, { kind: string }][];
  const found = await Promise.all(
    sources
      .filter(([, { kind }]) => kind === "local")
      .map(async ([source]) => {
        const baseURL = localBaseURL(source, env);
        const { models } = await listModels(baseURL, search, source);
        return { source, baseURL, models };
      }),
  );
  return found.filter(({ models }) => models.length > 0);
}

/** Where a server of this machine listens. Ollama's own variable tells where Ollama does. */
export function localBaseURL(
  source: SourceName,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const { baseURL } = MODEL_SOURCES[source] as LocalSource;
  const host = env["OLLAMA_HOST"]?.trim() ?? "";
  if (source !== "ollama" || host === "") return baseURL;
  const url = URL.parse(host.includes("://") ? host : `http://${host}`);
  if (url === null || !/^https?:$/.test(url.protocol)) return baseURL;
  // What listens at every address is reached at the loopback one.
  if (url.hostname === "0.0.0.0" || url.hostname === "[::]") url.hostname = "127.0.0.1";
  if (url.port === "" && !host.includes("://")) url.port = "11434";
  return `${url.origin}/v1`;
}

export interface ModelList {
  /** None when nothing answers there, or something else does. */
  readonly models: readonly string[];
  /** Whether the server wants a key before it tells. */
  readonly wantsKey: boolean;
}

const NO_LIST: ModelList = { models: [], wantsKey: false };

/** What the server lists as its models. */
export async function listModels(
  baseURL: string,
  search: Search,
  source?: SourceName,
): Promise<ModelList> {
  if (source === "ollama") {
    const own = await ask(new URL("/api/tags", baseURL).href, search);
    if (own.models.length > 0) return own;
  }
  return await ask(modelListURL(baseURL), search);
}

async function ask(url: string, { signal, clock }: Search): Promise<ModelList> {
  using deadline = new Deadline({ ms: ANSWER_LIMIT_MS, clock, signal });
  try {
    const response = await fetch(url, {
      signal: deadline.signal,
      redirect: "error",
      headers: { accept: "application/json" },
    });
    if (response.ok) return { models: modelsIn(await readText(response)), wantsKey: false };
    return { models: [], wantsKey: response.status === 401 || response.status === 403 };
  } catch {
    signal.throwIfAborted();
    return NO_LIST;
  }
}

/** A URL without a path gets that of OpenAI's protocol, as an agent does it. */
export function modelListURL(baseURL: string): string {
  const url = baseURL.replace(/\/+$/, "");
  return `${new URL(url).pathname === "/" ? `${url}/v1` : url}/models`;
}

const nameSchema = z.string().min(1).max(MAX_MODEL_NAME_LENGTH);
/** OpenAI's protocol has the first form, Ollama's own API the second one. */
const modelListSchema = z.union([
  z
    .object({ data: z.array(z.object({ id: nameSchema })) })
    .transform(({ data }) => data.map(({ id }) => id)),
  z
    .object({ models: z.array(z.object({ name: nameSchema })) })
    .transform(({ models }) => models.map(({ name }) => name)),
]);
/** These models make vectors of texts, and answer nothing. */
const EMBEDDING = /embed|(^|[/-])(bge|gte|e5)-|all-minilm|rerank/i;

function modelsIn(text: string): string[] {
  const list = modelListSchema.safeParse(JSON.parse(text));
  return [...new Set(list.success ? list.data : [])]
    .filter((name) => !EMBEDDING.test(name) && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(name))
    .slice(0, MAX_MODELS);
}

/** Rejects when the text is longer than a list of models. */
async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_ANSWER_BYTES) throw new RangeError("The list of models is too long.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
