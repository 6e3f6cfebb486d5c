import { access } from "node:fs/promises";
import { dirname, join } from "node:path";
import { UpError } from "../state/up-error.ts";

const QUICKSTART = join("examples", "quickstart");

/** The folder of the bundled quickstart. It is below the root of the package that this file is a part of, whether bundled or not. */
export async function quickstartFolder(start = import.meta.dirname): Promise<string> {
  for (let folder = start; ; folder = dirname(folder)) {
    const candidate = join(folder, QUICKSTART);
    try {
      await access(candidate);
      return candidate;
    } catch {
      if (dirname(folder) === folder) {
        throw new UpError(
          "This installation comes without its quickstart.",
          "Name manifests of your own with -f.",
        );
      }
    }
  }
}
