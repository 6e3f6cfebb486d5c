/** Finds the `omnia up` that runs on this machine, for the commands that talk to one. */
import { get } from "node:http";
import { join } from "node:path";
import { listIfThere } from "./private-files.ts";
import { defaultStateRoot, isAlive, readUpInfo, type UpInfo } from "./folder.ts";

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

/** Without an agent of its own a request would go through the proxy that the environment may name. */
function answers({ url }: UpInfo, signal: AbortSignal | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const timeout = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    const both = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
    get(new URL("/healthz", url), { agent: false, signal: both }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).on("error", () => resolve(false));
  });
}
