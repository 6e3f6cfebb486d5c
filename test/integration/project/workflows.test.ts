/** The workflows of the repository: that they are well-formed, and that nothing is published untested. */
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

const ROOT = join(import.meta.dirname, "../../..");
const WORKFLOWS = join(ROOT, ".github/workflows");
const BUILD_LIMIT_MS = 120_000;

interface Job {
  needs?: string | string[];
  uses?: string;
  permissions?: Record<string, string>;
  steps?: readonly { run?: string; uses?: string }[];
}
interface Workflow {
  permissions: Record<string, string>;
  jobs: Record<string, Job>;
}

function readWorkflow(name: string): Workflow {
  return parse(readFileSync(join(WORKFLOWS, name), "utf8")) as Workflow;
}

describe("the workflows", () => {
  it(
    "pass actionlint",
    () => {
      const build = join(ROOT, "test/support/documents/actionlint-build");
      const actionlint = execFileSync(build, { encoding: "utf8" }).trim();
      // Programs that a machine may have or not would make the result differ from one to the other.
      const alone = ["-shellcheck=", "-pyflakes=", "-no-color"];
      const names = readdirSync(WORKFLOWS);
      expect(names).toContain("release.yml");
      const files = names.map((name) => join(".github/workflows", name));
      const { status, stdout, stderr } = spawnSync(actionlint, [...alone, ...files], {
        cwd: ROOT,
        encoding: "utf8",
      });
      expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
    },
    BUILD_LIMIT_MS,
  );
});

describe("a release", () => {
  const { permissions, jobs } = readWorkflow("release.yml");
  const mayPublish = Object.entries(jobs).filter(([, job]) =>
    Object.values(job.permissions ?? {}).includes("write"),
  );

  function needed(name: string): string[] {
    const direct = [jobs[name]?.needs ?? []].flat();
    return [...direct, ...direct.flatMap(needed)];
  }

  it("may write nothing but in the jobs that publish", () => {
    expect(permissions).toEqual({ contents: "read" });
    expect(mayPublish.map(([name]) => name)).toEqual(["image", "chart", "npm", "files"]);
  });

  it("publishes only what has passed every check and test", () => {
    expect(jobs["test"]?.uses).toBe("./.github/workflows/ci.yml");
    expect(readFileSync(join(WORKFLOWS, "ci.yml"), "utf8")).toContain("run: bash .ci/run\n");
    for (const [name] of mayPublish) expect(needed(name)).toContain("test");
  });

  it("publishes what make artifacts has built, once and without a right to publish, and checks it first", () => {
    const stepsOf = (name: string): string[] =>
      (jobs[name]?.steps ?? []).map(({ run, uses }) => run ?? uses ?? "");
    expect(stepsOf("artifacts").filter((step) => step.endsWith("make artifacts\n"))).toHaveLength(
      1,
    );
    expect(jobs["artifacts"]?.permissions).toBeUndefined();
    for (const [name] of mayPublish) {
      expect(needed(name)).toContain("artifacts");
      const steps = stepsOf(name);
      const [got, checked, published] = [
        "actions/download-artifact",
        "sha256sum --check --strict SHA256SUMS",
        / (?:copy|push|publish|create) /,
      ].map((sought) => steps.findIndex((step) => step.search(sought) >= 0));
      expect(got).toBeGreaterThanOrEqual(0);
      expect(checked).toBeGreaterThan(got ?? -1);
      expect(published).toBeGreaterThan(checked ?? -1);
    }
  });
});
