import { lstat } from "node:fs/promises";
import { UpError } from "./up-error.ts";

/** Bits of a mode that let a group or everybody write. */
const OTHERS_MAY_WRITE = 0o022;

/**
 * A state folder holds secrets, and what a command reads there decides where it sends a token. Rejects with an UpError when the folder
 * is another user's, when others may write into it, and when it is a link, which leads wherever others let it. One that is not there
 * passes. `user` is the id of the user; it is undefined where the system has none.
 */
export async function requirePrivateFolder(
  folder: string,
  user: number | undefined = process.getuid?.(),
): Promise<void> {
  const facts = await lstat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (facts === undefined || user === undefined) return;
  const refuse = (what: string, cure: string): never => {
    throw new UpError(`The state folder ${folder} ${what}.`, cure);
  };
  if (facts.isSymbolicLink()) {
    refuse("is a symbolic link", "Name the folder that it leads to, with --state.");
  }
  if (!facts.isDirectory()) refuse("is not a folder", "Name another one with --state.");
  if (facts.uid !== user) {
    refuse("belongs to another user", "Name one of your own with --state.");
  }
  if ((facts.mode & OTHERS_MAY_WRITE) !== 0) {
    refuse(
      "can be changed by other users",
      `If nobody has changed it, keep it to yourself: chmod 700 ${folder}`,
    );
  }
}
