/** What is tested here is what users run: the bundle, made anew when a source is newer. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

export default async function buildProgram(): Promise<void> {
  // Not part of the make that may have started the tests: its flags are not for this one.
  const { MAKEFLAGS: _flags, MAKELEVEL: _level, MFLAGS: _old, ...env } = process.env;
  const { stdout } = await promisify(execFile)(
    "make",
    ["--silent", "--old-file=node_modules/.installed", "dist/omnia.js"],
    {
      cwd: join(import.meta.dirname, "../.."),
      env,
    },
  );
  process.stdout.write(stdout);
}
