/** An upgrade from the chart of the last release, with values that somebody has set. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { LAST_CHART } from "../../../release/release.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";
import {
  CHART,
  findHelm,
  MAX_OUTPUT_BYTES,
  RELEASE_NAMESPACE,
} from "../../support/kubernetes/helm-chart.ts";
import {
  KUBE_API_SERVER_TIMEOUT_MS,
  startKubeAPIServer,
} from "../../support/kubernetes/kube-api-server.ts";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../../..");

const helm = forAllTests(() => findHelm(), undefined, KUBE_API_SERVER_TIMEOUT_MS);
const server = forAllTests(
  () => startKubeAPIServer(),
  (server) => server.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);

async function helmWith(...args: string[]): Promise<string> {
  const all = [...args, "-n", RELEASE_NAMESPACE, "--kubeconfig", server().kubeconfig];
  return (await run(helm(), all, { maxBuffer: MAX_OUTPUT_BYTES })).stdout;
}

describe("an upgrade of the chart", () => {
  it.each<[string, string[]]>([
    ["alone", []],
    ["with --reset-then-reuse-values", ["--reset-then-reuse-values", "--set", "workers=7"]],
  ])("keeps the values that were set before, %s", async (_how, flags) => {
    const values = ["--set", "logLevel=debug,replicas=1"];
    const last = join(ROOT, LAST_CHART);
    await helmWith("install", "omnia", last, "--create-namespace", ...values);
    await helmWith("upgrade", "omnia", CHART, ...flags);
    const kept = await helmWith("get", "values", "omnia", "-o", "json");
    expect(JSON.parse(kept)).toMatchObject({ logLevel: "debug", replicas: 1 });
    const made = await helmWith("get", "manifest", "omnia");
    expect(made).toMatch(/name: LOG_LEVEL\n +value: debug\n/);
    // And back, as somebody does to whom the new one does no good.
    await helmWith("rollback", "omnia");
    await helmWith("uninstall", "omnia");
  });
});
