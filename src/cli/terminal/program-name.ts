import { existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/**
 * What people type to start the program: `omnia`, or the launcher of the checkout that it runs from. `entry` is the
 * program's own file, in `bin/` or `dist/`; `folder` is the one that people are in.
 */
export function programName(entry: string, folder: string): string {
  const root = dirname(dirname(entry));
  const launcher = join(root, "omnia");
  const isCheckout = existsSync(launcher) && existsSync(join(root, "Makefile"));
  if (!isCheckout) return "omnia";
  const way = relative(folder, launcher);
  return way.startsWith("..") ? launcher : `./${way}`;
}

/** A command as people would type it here and now. */
export function commandLine(rest: string): string {
  return `${programName(process.argv[1] ?? "", process.cwd())} ${rest}`;
}
