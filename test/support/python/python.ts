/** Python programs with the packages of a requirements file, as a test's own processes. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const INSTALL_TIMEOUT_MS = 110_000;

/** The interpreter. Rejects when it cannot be made: a test that needs it fails, it is never passed over. */
export async function pythonWith(requirements: string): Promise<string> {
  const installer = join(import.meta.dirname, "python-install");
  try {
    const arguments_ = [installer, requirements];
    const { stdout, stderr } = await run("bash", arguments_, { timeout: INSTALL_TIMEOUT_MS });
    process.stderr.write(stderr);
    return join(stdout.trim(), "bin/python");
  } catch (error) {
    const output = (error as { stderr?: string }).stderr ?? "";
    throw new Error(`these tests need ${requirements}, which is not there:\n${output}`, {
      cause: error,
    });
  }
}
