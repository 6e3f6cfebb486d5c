/** Parts of others that tests run against, which are put into the user's cache once. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
/** The first time, they are fetched. */
const TIMEOUT_MS = 110_000;

const SUPPORT = join(import.meta.dirname, "..");

/** A folder of Python with the packages of the folder's requirements.txt. It has `bin/python`. */
export function pythonFor(folder: string, timeoutMs?: number): Promise<string> {
  return installed([join(SUPPORT, "python/python-install"), folder], timeoutMs);
}

/** A folder with the `node_modules` that the folder's package-lock.json lists. */
export function nodePackagesFor(folder: string, timeoutMs?: number): Promise<string> {
  return installed([join(SUPPORT, "node/npm-install"), folder], timeoutMs);
}

/** What the installer prints: where the part is. Rejects when it fails: a test that needs it fails, it is never passed over. */
export async function installed(command: readonly string[], timeout = TIMEOUT_MS): Promise<string> {
  try {
    const { stdout, stderr } = await run("bash", command, { timeout });
    process.stderr.write(stderr);
    return stdout.trim();
  } catch (error) {
    const output = (error as { stderr?: string }).stderr ?? "";
    throw new Error(`these tests need what ${command.join(" ")} makes, and it failed:\n${output}`, {
      cause: error,
    });
  }
}
