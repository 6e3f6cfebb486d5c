/**
 * `make audit`: known weaknesses of the packages in the bundle. It fails when one is of severity high or critical. When the
 * registry cannot be asked it says so loudly, and fails only where AUDIT=required is set, since not every place where checks
 * run reaches a registry that answers.
 */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { judgeAdvisories, type Verdict } from "./judge-advisories.ts";
import { SOFTWARE_BILL_FILE } from "./software-bill.ts";

const PROJECT = join(import.meta.dirname, "..");
const AUDIT = [
  "audit",
  "--json",
  "--package-lock-only",
  "--include=dev",
  "--fetch-retries=1",
  "--fetch-timeout=20000",
];
const TIMEOUT_MS = 120_000;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

function bundledPaths(): ReadonlySet<string> {
  const text = readFileSync(join(PROJECT, "dist", SOFTWARE_BILL_FILE), "utf8");
  const { components } = JSON.parse(text) as { components: { "bom-ref": string }[] };
  return new Set(components.map((component) => component["bom-ref"]));
}

/** What npm prints. It ends with 1 both when it found something and when it could not ask. */
function npmAudit(): Promise<string> {
  const limits = { timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES };
  return new Promise((resolve) => {
    execFile("npm", AUDIT, { cwd: PROJECT, ...limits }, (_error, stdout) => resolve(stdout));
  });
}

function lines(verdict: Verdict, count: number, isRequired: boolean): string[] {
  if (verdict.checked) {
    return verdict.advisories.length === 0
      ? [`No advisory is about any of the ${count} packages of the bundle`]
      : verdict.advisories.map(
          (one) => `${one.severity}: ${one.package}: ${one.title} (${one.url})`,
        );
  }
  return [
    `ADVISORIES NOT CHECKED: the registry could not be asked about the ${count} packages of the bundle: ${verdict.reason}`,
    isRequired
      ? "This fails because AUDIT=required is set."
      : "This passes here. With AUDIT=required in the environment it fails.",
  ];
}

const bundled = bundledPaths();
const isRequired = process.env["AUDIT"] === "required";
const verdict = judgeAdvisories(await npmAudit(), bundled);
for (const line of lines(verdict, bundled.size, isRequired)) process.stdout.write(`${line}\n`);
if (verdict.checked ? verdict.failed : isRequired) process.exitCode = 1;
