/** Manifests of test/cases: files as users wrote them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const CASES = join(import.meta.dirname, "../../cases/manifests");

export function manifestCase(name: string): string {
  return readFileSync(join(CASES, name, "a.yaml"), "utf8");
}
