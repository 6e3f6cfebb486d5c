/** Finds the `omnia up` that runs on this machine, for the commands that talk to one. */
import { get } from "node:http";
import { join, resolve } from "node:path";
import { systemClock, type Clock } from "../../time/clock.ts";
import { Deadline } from "../../time/deadline.ts";
import { listIfThere } from "./private-files.ts";
import { requirePrivateFolder } from "./require-private-folder.ts";
import { isAlive } from "./lock-state-folder.ts";
import { defaultStateRoot, readUpInfo, type UpInfo } from "./state-folder.ts";

const ANSWER_TIMEOUT_MS = 1_500;

/**
 * Finds the instance of `stateFolder`, or else the newest one of this user. Resolves to `undefined` when none runs and answers. Rejects
 * with an UpError when others may have written what is in `stateFolder`.
 */
export async function findLocal({
  stateFolder,
  env,
  clock = systemClock,
  signal,
}: {
  stateFolder?: string | undefined;
  env: Readonly<Record<string, string | undefined>>;
  clock?: Clock | undefined;
  signal?: AbortSignal | undefined;
}): Promise<UpInfo | undefined> {
  if (stateFolder !== undefined) await requirePrivateFolder(resolve(stateFolder));
  const folders = stateFolder === undefined ? await defaultFolders(env) : [stateFolder];
  const candidates = (await Promise.all(folders.map(readUpInfo)))
    .filter((info) => info !== undefined)
    .filter(({ pid }) => isAlive(pid))
    .toSorted((a, b) => Date.parse(b.startedAt) - Date.parse(a.startedAt));
  for (const info of candidates) if (await answers(info, clock, signal)) return info;
  return undefined;
}

async function defaultFolders(
  env: Readonly<Record<string, string | undefined>>,
): Promise<string[]> {
  const root = defaultStateRoot(env);
  const folders = (await listIfThere(root)).map((name) => join(root, name));
  const isPrivate = await Promise.all(
    folders.map((folder) =>
      requirePrivateFolder(folder).then(
        () => true,
        () => false,
      ),
    ),
  );
  return folders.filter((_, index) => isPrivate[index]);
}

/** The request has an HTTP agent of its own, or it would go through the proxy that the environment may name. */
async function answers(
  { url }: UpInfo,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  using deadline = new Deadline({ ms: ANSWER_TIMEOUT_MS, clock, signal });
  const { promise, resolve } = Promise.withResolvers<boolean>();
  get(new URL("/healthz", url), { agent: false, signal: deadline.signal }, (response) => {
    response.resume();
    resolve(response.statusCode === 200);
  }).on("error", () => resolve(false));
  return await promise;
}
