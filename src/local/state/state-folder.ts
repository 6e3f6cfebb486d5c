/**
 * The folder where one `omnia up` keeps what must outlive it, and by which others find it.
 *
 *     lock-1          who has the folder
 *     up.json         where that instance answers
 *     agents/…        config, secrets and logs of each agent
 *     promptpacks/…   accepted versions of each PromptPack
 *     rollbacks/…     which of them run in place of what the files say
 */
import { rm } from "node:fs/promises";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import * as z from "zod";
import { readJSONIfThere, writePrivateFile } from "./private-files.ts";

const UP_FILE = "up.json";

const upInfoSchema = z.object({
  url: z.string(),
  pid: z.int(),
  port: z.int(),
  /** RFC 3339. */
  startedAt: z.string(),
  /** What it wants of those who read what runs, when others can reach it. */
  token: z.string().optional(),
  /** The state folder itself, since the same is written where an instance is looked for. */
  folder: z.string().optional(),
});

export type UpInfo = z.output<typeof upInfoSchema>;

/** The folder that holds the default state folders. There is one for each port. */
export function defaultStateRoot(env: Readonly<Record<string, string | undefined>>): string {
  const given = env["XDG_STATE_HOME"];
  // The specification of XDG_STATE_HOME says that a path that is not absolute is ignored.
  const base =
    given !== undefined && isAbsolute(given)
      ? given
      : join(env["HOME"] ?? homedir(), ".local", "state");
  return join(base, "omnia");
}

export function defaultStateFolder(
  env: Readonly<Record<string, string | undefined>>,
  port: number,
): string {
  return join(defaultStateRoot(env), String(port));
}

export async function writeUpInfo(folder: string, info: UpInfo): Promise<void> {
  await writePrivateFile(join(folder, UP_FILE), `${JSON.stringify(info, null, 2)}\n`);
}

export async function removeUpInfo(folder: string): Promise<void> {
  await rm(join(folder, UP_FILE), { force: true });
}

/** Resolves to `undefined` when there is no such file, or none that can be read. */
export function readUpInfo(folder: string): Promise<UpInfo | undefined> {
  return readJSONIfThere(join(folder, UP_FILE), upInfoSchema);
}
