import { execFileSync } from "node:child_process";
import { defineConfig } from "vitest/config";

/** OMNIA_E2E=off leaves the node out. Where a machine cannot be one and nobody said so, one test fails, which tells what is missing. */
const withNode = process.env["OMNIA_E2E"] !== "off";
const canBeNode = withNode && execFileSync("test/node/missing-parts", { encoding: "utf8" }) === "";

/** Unit tests stand beside the code. The others start processes; they come after, so that none of them is short of time. */
export default defineConfig({
  test: {
    reporters: ["default", "./test/support/closing-line-reporter.ts"],
    setupFiles: ["./test/support/patient-waits.ts"],
    expect: { poll: { timeout: 25_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["src/**/*.test.ts"],
          // Modules are loaded once for all files: most of the time went into loading them for each.
          pool: "threads",
          isolate: false,
          // What it takes depends on what else the machine does.
          testTimeout: 30_000,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["test/{integration,survival}/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 240_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          globalSetup: "test/e2e/build-program.ts",
          testTimeout: 120_000,
          hookTimeout: 240_000,
          // A browser has processes of its own, and tests that measure it have the machine for themselves.
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: "test/e2e/build-program.ts",
          testTimeout: 120_000,
          hookTimeout: 240_000,
          maxWorkers: 2,
          sequence: { groupOrder: 3 },
        },
      },
      {
        extends: true,
        test: {
          name: "node",
          include: withNode ? [`test/node/${canBeNode ? "*" : "machine"}.test.ts`] : [],
          testTimeout: 180_000,
          hookTimeout: 600_000,
          // A machine has one node at a time.
          maxWorkers: 1,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
});
