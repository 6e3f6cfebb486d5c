/** The chart as a real Helm renders it. */
import { execFile, spawnSync } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";

const run = promisify(execFile);
export const CHART = join(import.meta.dirname, "../../../charts/omnia");
export const RELEASE_NAMESPACE = "omnia-system";
/** The user that a release called `omnia` runs the operator as. */
export const OPERATOR_ACCOUNT = `system:serviceaccount:${RELEASE_NAMESPACE}:omnia-operator`;
export const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

// oxlint-disable-next-line typescript/no-explicit-any -- manifests of many shapes
export type Manifest = any;

/** The path of a Helm that is new enough. It is built where there is none, which takes two minutes. */
export function findHelm(): string {
  const build = join(import.meta.dirname, "helm-build");
  const found = spawnSync(build, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  const helm = found.stdout.trim();
  if (helm === "") throw new Error("these tests need Helm: run test/support/kubernetes/helm-build");
  return helm;
}

/** What is installed for a release called `omnia`, for Kubernetes 1.34 unless the flags say otherwise. */
export async function renderChart(helm: string, ...flags: string[]): Promise<Manifest[]> {
  return await render(helm, ["--skip-tests", ...flags]);
}

/** What `helm test` makes for that release. */
export async function renderTest(helm: string, ...flags: string[]): Promise<Manifest[]> {
  return await render(helm, ["-s", "templates/test.yaml", ...flags]);
}

async function render(helm: string, flags: readonly string[]): Promise<Manifest[]> {
  const { stdout } = await run(
    helm,
    ["template", "omnia", CHART, "-n", RELEASE_NAMESPACE, "--kube-version", "1.34.0", ...flags],
    { maxBuffer: MAX_OUTPUT_BYTES },
  );
  return parseAllDocuments(stdout)
    .map((document) => document.toJS())
    .filter((manifest) => manifest !== null);
}
