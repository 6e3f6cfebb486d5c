/** Reads the resources for `status` and `explain`: from a local instance if one is up, or else from the current cluster. */
import { findLocal } from "../../local/state/find-local.ts";
import { systemClock } from "../../time/clock.ts";
import { Deadline } from "../../time/deadline.ts";
import { UpError } from "../../local/state/up-error.ts";
import { CliError } from "../terminal/cli-error.ts";
import { commandLine } from "../terminal/program-name.ts";
import type { Streams } from "../terminal/streams.ts";
import type { ResourceFlags, Resources } from "./resources.ts";

const LOCAL_TIMEOUT_MS = 10_000;
const RESOURCES_PATH = "/api/v1alpha1/resources";

export async function readResources(
  { state }: Pick<ResourceFlags, "state">,
  { env }: Streams,
): Promise<Resources> {
  const local = await findLocal({ env, stateFolder: state }).catch((error: unknown) => {
    throw error instanceof UpError
      ? new CliError(error.message, { cure: error.cure, cause: error })
      : error;
  });
  if (local !== undefined) return readLocal(local.url);
  if (state !== undefined) {
    throw new CliError(`No omnia up runs with the state folder ${state}.`, {
      cure: `Start one with: ${commandLine(`up --state ${state}`)}`,
    });
  }
  const { readCluster } = await import("./read-cluster.ts");
  return readCluster();
}

async function readLocal(url: string): Promise<Resources> {
  using deadline = new Deadline({ ms: LOCAL_TIMEOUT_MS, clock: systemClock });
  try {
    const response = await fetch(new URL(RESOURCES_PATH, url), {
      signal: deadline.signal,
      redirect: "error",
    });
    const body = (await response.json()) as { items?: unknown };
    if (!response.ok || !Array.isArray(body.items))
      throw new Error(`it answered ${response.status}`);
    return { source: { kind: "local", url }, items: body.items };
  } catch (error) {
    const why = deadline.isOver ? "no answer in time" : (error as Error).message;
    throw new CliError(`The instance at ${url} does not say what it runs: ${why}.`, {
      cure: "Is it of another version? Then start it again.",
      cause: error,
    });
  }
}

/** Names the source for people. */
export function shownSource(source: Resources["source"]): string {
  return source.kind === "local"
    ? `omnia up at ${source.url}`
    : `cluster ${source.context} at ${source.server}`;
}
