/** Reads the resources for `status` and `explain`: from a local instance, or from a cluster. */
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { API_PREFIX } from "../../http-api/paths.ts";
import { findLocal } from "../../local/state/find-local.ts";
import type { UpInfo } from "../../local/state/state-folder.ts";
import { systemClock } from "../../time/clock.ts";
import { Deadline } from "../../time/deadline.ts";
import { UpError } from "../../local/state/up-error.ts";
import { CliError } from "../terminal/cli-error.ts";
import { commandLine } from "../terminal/program-name.ts";
import type { Streams } from "../terminal/streams.ts";
import { chooseSource } from "../source/choose-source.ts";
import type { ResourceFlags, Resources } from "./resources.ts";

const LOCAL_TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** More are not shown by a command for people, and an instance that always names another part comes to an end. */
const MAX_RESOURCES = 100_000;

export async function readResources(
  flags: Pick<ResourceFlags, "state" | "local" | "context">,
  { env }: Streams,
): Promise<Resources> {
  const { state, context } = flags;
  const choice = chooseSource(flags, env);
  const local = await findLocal({ env, stateFolder: state }).catch((error: unknown) => {
    throw error instanceof UpError
      ? new CliError(error.message, { cure: error.cure, cause: error })
      : error;
  });
  if (choice !== "cluster" && local !== undefined) return readLocal(local);
  if (choice === "local") {
    const which = state === undefined ? "on this machine" : `with the state folder ${state}`;
    const flag = state === undefined ? "" : ` --state ${state}`;
    throw new CliError(`No omnia up runs ${which}.`, {
      cure: `Start one with: ${commandLine(`up${flag}`)}`,
    });
  }
  const { readCluster } = await import("./read-cluster.ts");
  return { ...(await readCluster({ context, local })), other: local };
}

async function readLocal({ url, token, folder }: UpInfo): Promise<Resources> {
  using deadline = new Deadline({ ms: LOCAL_TIMEOUT_MS, clock: systemClock });
  try {
    const items = await readPages(new URL(`${API_PREFIX}/resources`, url), token, deadline.signal);
    return { source: { kind: "local", url }, stateFolder: folder, items };
  } catch (error) {
    const why = deadline.isOver ? "no answer in time" : (error as Error).message;
    throw new CliError(`The instance at ${url} does not say what it runs: ${why}.`, {
      cure: "Is it of another version? Then start it again.",
      cause: error,
    });
  }
}

/** An instance that knows nothing of parts gives the whole list at once. */
async function readPages(
  list: URL,
  token: string | undefined,
  signal: AbortSignal,
): Promise<unknown[]> {
  const found: unknown[] = [];
  let after: unknown;
  do {
    const part = new URL(list);
    if (typeof after === "string") part.searchParams.set("after", after);
    const { items, next } = await getJSON(part, token, signal);
    if (!Array.isArray(items)) throw new Error("it answered something else");
    found.push(...(items as unknown[]));
    if (found.length > MAX_RESOURCES)
      throw new Error(`it has more than ${MAX_RESOURCES} resources`);
    after = next;
  } while (typeof after === "string");
  return found;
}

/**
 * Reads an object. The request has an HTTP agent of its own, or it would go through the proxy that the environment may name, which
 * would learn the token.
 */
async function getJSON(
  url: URL,
  token: string | undefined,
  signal: AbortSignal,
): Promise<{ items?: unknown; next?: unknown }> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const request = get(url, { agent: false, headers, signal });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  if (response.statusCode !== 200) {
    response.destroy();
    throw new Error(`it answered ${response.statusCode}`);
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error("it answered with more than 64 MiB");
    chunks.push(chunk);
  }
  const body = JSON.parse(Buffer.concat(chunks).toString()) as unknown;
  return typeof body === "object" && body !== null ? body : {};
}

/** Names the source for people, and another one that they may have meant. */
export function shownSource({ source, other }: Pick<Resources, "source" | "other">): string {
  if (source.kind === "local") return `omnia up at ${source.url}`;
  const hint =
    other === undefined ? "" : ` (--local shows the omnia up that runs here too, at ${other.url})`;
  return `cluster ${source.context} at ${source.server}${hint}`;
}
