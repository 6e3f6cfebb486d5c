/** A state folder belongs to one `omnia up` at a time. */
import { randomUUID } from "node:crypto";
import { link, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import {
  listIfThere,
  makePrivateFolder,
  readJSONIfThere,
  writePrivateFile,
} from "./private-files.ts";
import { requirePrivateFolder } from "./require-private-folder.ts";
import { UpError } from "./up-error.ts";

const LOCK_NAME = /^lock-(\d{1,12})$/;
const RELEASED = "{}";

const lockSchema = z.object({ pid: z.int(), processStart: z.string().optional() });
type LockHolder = z.output<typeof lockSchema>;

/**
 * Takes the folder for this process. Rejects with an UpError when another process has it, or another user may write into it. A lock
 * whose process has ended is taken over.
 *
 * Locks are numbered, and only the highest one counts. A process takes over by making the next lock, which only one of many can do.
 * A process that began from an old view of the folder finds a higher lock beside its own, and gives its own up.
 */
export async function lockStateFolder(folder: string): Promise<AsyncDisposable> {
  await makePrivateFolder(folder);
  await requirePrivateFolder(folder);
  const own = join(folder, `.lock-${randomUUID()}`);
  const holder: LockHolder = {
    pid: process.pid,
    processStart: await startOfProcess(process.pid),
  };
  await writeFile(own, JSON.stringify(holder), { mode: 0o600, flag: "wx" });
  try {
    for (;;) {
      const lock = await makeNextLock(folder, own);
      // It is not removed, because the next number has to be a higher one.
      if (lock !== undefined)
        return { [Symbol.asyncDispose]: () => writePrivateFile(lock, RELEASED).then(() => {}) };
    }
  } finally {
    await rm(own, { force: true });
  }
}

/** Resolves to `undefined` when another process took the lock in between. */
async function makeNextLock(folder: string, own: string): Promise<string | undefined> {
  const highest = Math.max(0, ...(await lockNumbers(folder)));
  const pid = highest === 0 ? undefined : await livingHolder(lockFile(folder, highest));
  if (pid !== undefined) {
    throw new UpError(
      `The state folder ${folder} is in use by another omnia up (process ${pid}).`,
      "End that one, or give this one a folder of its own with --state.",
    );
  }
  const lock = lockFile(folder, highest + 1);
  try {
    await link(own, lock);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return undefined;
    throw error;
  }
  const others = (await lockNumbers(folder)).filter((number) => number !== highest + 1);
  if (others.some((number) => number > highest)) {
    await rm(lock, { force: true });
    return undefined;
  }
  for (const number of others) await rm(lockFile(folder, number), { force: true });
  return lock;
}

async function lockNumbers(folder: string): Promise<number[]> {
  return (await listIfThere(folder)).flatMap((name) => {
    const number = LOCK_NAME.exec(name)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
}

function lockFile(folder: string, number: number): string {
  return join(folder, `lock-${number}`);
}

/** Finds the process that holds a lock, if it still runs. A lock that cannot be read was left by a process that died. */
async function livingHolder(lock: string): Promise<number | undefined> {
  const holder = await readJSONIfThere(lock, lockSchema);
  if (holder === undefined || !isAlive(holder.pid)) return undefined;
  // The system uses process ids again. In a container it is even the same one at each start.
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

/** When a process started, in the system's own unit. `undefined` where the system does not tell. */
async function startOfProcess(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    // It is field 22. Field 2 is the program's name in parentheses, which may hold anything.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}
