import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** Every file of the repository that is committed, or would be: paths from its root. */
export function sourceFiles(root: string): string[] {
  const listed = execFileSync(
    "git",
    ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    {
      cwd: root,
      encoding: "utf8",
      maxBuffer: 16 * 1024 * 1024,
    },
  );
  return [...new Set(listed.split("\0"))].filter(
    (file) => file !== "" && existsSync(join(root, file)),
  );
}

/** Tests, and what they share: `foo.test.ts`, `foo.contract.ts`, `foo.cases.ts`. */
export function isTestFile(file: string): boolean {
  return /\.(test|contract|cases)\.tsx?$/.test(file);
}
