/** Finds the `omnia up` that runs on this machine, for the commands that talk to one. */
import { join } from "node:path";
import { listIfThere } from "./private-files.ts";
import { defaultStateRoot, isAlive, readUpInfo, type UpInfo } from "./state-folder.ts";

const ANSWER_TIMEOUT_MS = 1_500;

/** The instance of `stateFolder`, or else the newest of this user. `undefined`: none lives and answers. */
export async function findLocal({
  stateFolder,
  env,
  signal,
}: {
  stateFolder?: string;
  env: Readonly<Record<string, string | undefined>>;
  signal?: AbortSignal;
}): Promise<UpInfo | undefined> {
  const folders = stateFolder === undefined ? await defaultFolders(env) : [stateFolder];
  const candidates = (await Promise.all(folders.map(readUpInfo)))
    .filter((info) => info !== undefined)
    .filter(({ pid }) => isAlive(pid))
    .toSorted((a, b) => Date.parse(b.startedAt) - Date.parse(a.startedAt));
  for (const info of candidates) if (await answers(info, signal)) return info;
  return undefined;
}

async function defaultFolders(
  env: Readonly<Record<string, string | undefined>>,
): Promise<string[]> {
  const root = defaultStateRoot(env);
  return (await listIfThere(root)).map((name) => join(root, name));
}

async function answers({ url }: UpInfo, signal: AbortSignal | undefined): Promise<boolean> {
  const timeout = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  try {
    const response = await fetch(new URL("/healthz", url), {
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      redirect: "error",
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    signal?.throwIfAborted();
    return false;
  }
}
