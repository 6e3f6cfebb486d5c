/**
 * Where one `omnia up` keeps what must outlive it, and how others find it. A folder belongs to one instance at a time.
 *
 *     lock            who has the folder
 *     up.json         where that instance answers
 *     agents/…        config, secrets and logs of each agent
 *     promptpacks/…   accepted versions of each PromptPack
 */
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import * as z from "zod";
import { isAbsent, makePrivateFolder, readFileIfThere, writePrivateFile } from "./private-files.ts";

const UP_FILE = "up.json";
const LOCK_FILE = "lock";

const upInfoSchema = z.object({
  url: z.string(),
  pid: z.int(),
  port: z.int(),
  /** RFC 3339. */
  startedAt: z.string(),
});
const lockSchema = z.object({ pid: z.int(), processStart: z.string().optional() });

export type UpInfo = z.output<typeof upInfoSchema>;
type LockHolder = z.output<typeof lockSchema>;

export class StateFolderInUseError extends Error {
  override readonly name = "StateFolderInUseError";
  readonly pid: number;

  constructor(folder: string, pid: number) {
    super(
      `the state folder ${folder} is in use by another omnia up (process ${pid}); ` +
        "end that one, or give this one its own with --state DIR",
    );
    this.pid = pid;
  }
}

/** The folder that holds the default state folders, one a port. */
export function defaultStateRoot(env: Readonly<Record<string, string | undefined>>): string {
  const given = env["XDG_STATE_HOME"];
  // The specification of XDG_STATE_HOME says to pass over one that is not absolute.
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

/** Takes the folder for this process. A lock whose process is gone is taken over. */
export async function lockStateFolder(folder: string): Promise<AsyncDisposable> {
  await makePrivateFolder(folder);
  const lock = join(folder, LOCK_FILE);
  const own = join(folder, `.lock-${randomUUID()}`);
  const processStart = await startOfProcess(process.pid);
  const holder: LockHolder = {
    pid: process.pid,
    ...(processStart === undefined ? {} : { processStart }),
  };
  await writeFile(own, JSON.stringify(holder), { mode: 0o600, flag: "wx" });
  try {
    for (;;) {
      try {
        await link(own, lock);
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      await removeStaleLock(folder, lock);
    }
  } finally {
    await rm(own, { force: true });
  }
  return {
    [Symbol.asyncDispose]: async () => {
      await rm(lock, { force: true });
    },
  };
}

async function removeStaleLock(folder: string, lock: string): Promise<void> {
  const pid = await livingHolder(lock);
  if (pid !== undefined) throw new StateFolderInUseError(folder, pid);
  // Moved before it is removed: of two that find the same stale lock only one moves it, and the other may have moved a
  // lock that was taken in between, which it puts back.
  const aside = join(folder, `.stale-${randomUUID()}`);
  try {
    await rename(lock, aside);
  } catch (error) {
    if (isAbsent(error)) return;
    throw error;
  }
  try {
    if ((await livingHolder(aside)) !== undefined) await link(aside, lock);
  } finally {
    await rm(aside, { force: true });
  }
}

/** The process that holds a lock, when it lives. A lock that cannot be read was left by a process that died. */
async function livingHolder(lock: string): Promise<number | undefined> {
  const text = await readFileIfThere(lock);
  if (text === undefined) return undefined;
  const holder = parseJson(lockSchema, text);
  if (holder === undefined || !isAlive(holder.pid)) return undefined;
  // Process ids are used again, in a container even the same one at each start.
  const start = await startOfProcess(holder.pid);
  return holder.processStart === undefined || start === undefined || holder.processStart === start
    ? holder.pid
    : undefined;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** When a process started, in the system's own measure; `undefined` where the system does not say. */
async function startOfProcess(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    // Field 22; the second is the program's name in parentheses and may hold anything.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

export async function writeUpInfo(folder: string, info: UpInfo): Promise<void> {
  await writePrivateFile(join(folder, UP_FILE), `${JSON.stringify(info, null, 2)}\n`);
}

export async function removeUpInfo(folder: string): Promise<void> {
  await rm(join(folder, UP_FILE), { force: true });
}

/** `undefined` when there is none, or none that can be read. */
export async function readUpInfo(folder: string): Promise<UpInfo | undefined> {
  const text = await readFileIfThere(join(folder, UP_FILE));
  return text === undefined ? undefined : parseJson(upInfoSchema, text);
}

function parseJson<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
