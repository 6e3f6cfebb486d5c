/** Why something is not read, with the cure. */
import { FILE_TIMEOUT_MS, HANGS, NO_FILE } from "./patient-files.ts";

const CURES: Readonly<Record<string, string>> = {
  EACCES: "; let this user read it",
  EPERM: "; let this user read it",
  ELOOP: "; the link leads back to itself, so correct or remove it",
  EISDIR: "; it is a folder",
  EMFILE: "; this process has too many files open",
  ENFILE: "; this machine has too many files open",
  EIO: "; the disk or the mount has failed",
};

/** `code` is that of a FileError. */
export function describeUnread(what: "file" | "folder", code: string): string {
  if (code === NO_FILE || code === "ENXIO") {
    return "this is a pipe, a socket or a device, and no file; write what it gives into a file";
  }
  if (code === HANGS) {
    return `the ${what} cannot be read within ${FILE_TIMEOUT_MS / 1_000} seconds; look whether its file system still answers`;
  }
  return `the ${what} cannot be read (${code})${CURES[code] ?? ""}`;
}
