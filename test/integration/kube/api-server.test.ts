/** The CRDs in a real API server: it must refuse what zod refuses, take what zod takes, and fill in the same defaults. */
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { AGENT_RUNTIME_CASES } from "../../../src/api/cases/agent-runtime.cases.ts";
import { crdYAML } from "../../../src/api/crd.ts";
import { API_VERSION } from "../../../src/api/group.ts";
import { type ManifestResource, parseManifests } from "../../../src/api/manifest/manifest.ts";
import { migrateManifests } from "../../../src/api/migration/migrate-manifests.ts";
import { PROMPT_PACK_CASES } from "../../../src/api/cases/prompt-pack.cases.ts";
import { TOOL_REGISTRY_CASES } from "../../../src/api/cases/tool-registry.cases.ts";
import {
  KUBE_API_SERVER_TIMEOUT_MS,
  type KubeAnswer,
  startKubeAPIServer,
} from "../../support/kubernetes/kube-api-server.ts";
import { installKinds } from "../../support/kubernetes/kube-api-server-kinds.ts";
import { REFERENCE_BLOCKS } from "../../support/documents/reference-page.ts";
import { manifestCase } from "../../support/builders/manifest-case.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";

const server = forAllTests(
  () => startKubeAPIServer(),
  (server) => server.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);
beforeAll(async () => {
  await installKinds(server());
  // The namespace of the complete example on the reference page.
  await server().kubectl(["create", "namespace", "agents"]);
});

const COLLECTION = `/apis/${API_VERSION}/namespaces/default`;

/** As kubectl creates: unknown fields are refused. */
function create(plural: string, manifest: object | string, dryRun = true): Promise<KubeAnswer> {
  const query = `fieldValidation=Strict${dryRun ? "&dryRun=All" : ""}`;
  return server().request("POST", `${COLLECTION}/${plural}?${query}`, manifest);
}

function specOf(resource: ManifestResource | undefined): unknown {
  return resource !== undefined && "spec" in resource.value ? resource.value.spec : undefined;
}

/** The fields that an API server blames. */
function blamed({ body }: KubeAnswer): string[] {
  const causes: { field?: string }[] = body.details?.causes ?? [];
  const unknown: string[] = [...String(body.message).matchAll(/unknown field "([^"]+)"/g)].map(
    ([, field]) => field ?? "",
  );
  return [...new Set([...causes.map(({ field }) => field ?? ""), ...unknown])];
}

describe.each([
  { plural: "agentruntimes", cases: AGENT_RUNTIME_CASES },
  { plural: "promptpacks", cases: PROMPT_PACK_CASES },
  { plural: "toolregistries", cases: TOOL_REGISTRY_CASES },
])("an API server with the CRD of $plural", ({ plural, cases }) => {
  const taken = cases.filter(({ refusedAt }) => refusedAt === undefined);
  const refused = cases.filter(({ refusedAt }) => refusedAt !== undefined);

  it.each(taken)("takes $name, with the defaults that zod fills in", async ({ manifest }) => {
    const answer = await create(plural, manifest);
    expect(answer).toMatchObject({ status: 201 });
    const [resource] = parseManifests(JSON.stringify(manifest), "case.json").resources;
    expect(specOf(resource)).toEqual(answer.body.spec);
  });

  it.each(refused)("refuses $name, at $refusedAt", async (one) => {
    const answer = await create(plural, one.manifest);
    expect(answer.body).toMatchObject({ status: "Failure" });
    expect(blamed(answer)).toContain(one.serverRefusesAt ?? one.refusedAt);
  });
});

describe("an API server with the CRDs", () => {
  it.each([
    "15-upstream-2026-07",
    "16-upstream-2025-12",
    "upstream-all-fields",
    "upstream-providers",
  ])("takes what is translated of AltairaLabs' Omnia: %s", async (name) => {
    const sources = [{ name: "a.yaml", text: manifestCase(name) }];
    const [file] = migrateManifests(sources).files;
    const { resources, problems } = parseManifests(file?.text ?? "", "a.yaml");
    expect(problems).toEqual([]);
    const ours = resources.filter(({ apiVersion }) => apiVersion === API_VERSION);
    expect(ours.length).toBeGreaterThan(1);
    await server().kubectl(
      ["apply", "--dry-run=server", "--validate=strict", "-f", "-"],
      file?.text,
    );
  });

  it.each(REFERENCE_BLOCKS)("takes the block $name of the reference page", async ({ manifest }) => {
    const [resource] = parseManifests(manifest, "page.yaml").resources;
    const path = `/apis/${API_VERSION}/namespaces/${resource?.namespace}/agentruntimes`;
    const answer = await server().request(
      "POST",
      `${path}?fieldValidation=Strict&dryRun=All`,
      manifest,
    );
    expect(answer).toMatchObject({ status: 201 });
  });

  describe("judges random texts as zod does", () => {
    const number = fc.oneof(fc.nat({ max: 2_000 }).map(String), fc.constantFrom("1.5", ".5", "5."));
    const written = (units: string[]) =>
      fc
        .array(fc.tuple(number, fc.constantFrom(...units)), { minLength: 1, maxLength: 3 })
        .map((parts) => parts.flat().join(""));
    const quantity = fc
      .tuple(number, fc.constantFrom("", "m", "k", "K", "Ki", "M", "Mi", "n", "e2", "E-3", "x"))
      .map((parts) => parts.join(""));
    const character = fc.constantFrom(..."aZ09-_./:@[]?#% é\t\u2003\n".split(""));
    const url = fc
      .tuple(
        fc.constantFrom("http://", "https://", ""),
        fc.string({ unit: character, maxLength: 8 }),
      )
      .map((parts) => parts.join("host"));

    it.each<{ what: string; values: fc.Arbitrary<object> }>([
      {
        what: "durations",
        values: written(["ns", "us", "µs", "μs", "ms", "s", "m", "h", "d", ""]).map((ttl) => ({
          session: { ttl },
        })),
      },
      {
        what: "quantities, and requests beside limits",
        values: fc.tuple(quantity, quantity).map(([request, limit]) => ({
          resources: { requests: { memory: request }, limits: { memory: limit } },
        })),
      },
      { what: "URLs", values: url.map((baseURL) => ({ provider: { baseURL } })) },
      {
        what: "names",
        values: fc.string({ unit: character, maxLength: 6 }).map((name) => ({
          env: [{ name }],
          session: { storeRef: { name: "a", key: name } },
        })),
      },
    ])("$what", async ({ values }) => {
      const judged = { both: 0, disagreed: [] as unknown[] };
      for (const fields of fc.sample(values, { numRuns: 120, seed: 7 })) {
        const manifest = {
          apiVersion: API_VERSION,
          kind: "AgentRuntime",
          metadata: { name: "a" },
          spec: { facade: { handler: "demo" }, ...fields },
        };
        const { problems } = parseManifests(JSON.stringify(manifest), "a.json");
        const answer = await create("agentruntimes", manifest);
        if ((answer.status === 201) === (problems.length === 0)) judged.both += 1;
        else judged.disagreed.push({ fields, problems, says: answer.body.message });
      }
      expect(judged).toEqual({ both: 120, disagreed: [] });
    });
  });

  it("says the cure in the words of zod", async () => {
    const manifest = {
      apiVersion: API_VERSION,
      kind: "AgentRuntime",
      metadata: { name: "a" },
      spec: { facade: { port: 8081, handler: "demo" }, session: { type: "redis" } },
    };
    const { problems } = parseManifests(JSON.stringify(manifest), "a.json");
    const answer = await create("agentruntimes", manifest);
    expect(problems).toHaveLength(2);
    for (const { message } of problems) {
      expect(answer.body.message).toContain(message.slice(message.indexOf(": ") + 2));
    }
  });

  it("takes an empty field for one that is not set, as zod does", async () => {
    const manifest = `
apiVersion: ${API_VERSION}
kind: AgentRuntime
metadata: {name: a, labels: }
spec:
  replicas:
  facade: {handler: demo, port: }
  env:
  toolRegistryRef:
  promptPackRef: {name: p, variables: }
`;
    const answer = await create("agentruntimes", manifest);
    expect(answer).toMatchObject({ status: 201 });
    const { resources, problems } = parseManifests(manifest, "a.yaml");
    expect(problems).toEqual([]);
    expect(specOf(resources[0])).toEqual(answer.body.spec);
  });

  it("reads the YAML of the CRDs as it was meant", async () => {
    const printed = await server().kubectl(["apply", "--dry-run=server", "-f", "-"], crdYAML());
    expect(printed).toMatch(/agentruntimes.*\n.*promptpacks.*\n.*toolregistries/);
  });

  it("explains every field", async () => {
    for (const kind of ["agentruntime", "promptpack", "toolregistry"]) {
      const explained = await server().kubectl(["explain", `${kind}.spec`, "--recursive"]);
      expect(explained).not.toContain("<none>");
    }
    expect(await server().kubectl(["explain", "ar.spec.facade.port"])).toContain("any but 8081");
  });

  it("knows the short names and the category, and prints the columns", async () => {
    const name = "columns";
    await create(
      "agentruntimes",
      {
        apiVersion: API_VERSION,
        kind: "AgentRuntime",
        metadata: { name },
        spec: {
          facade: { handler: "demo" },
          provider: { model: "gpt-4" },
          promptPackRef: { name: "prompts" },
        },
      },
      false,
    );
    await create(
      "promptpacks",
      {
        apiVersion: API_VERSION,
        kind: "PromptPack",
        metadata: { name },
        spec: { source: { configMapRef: { name } } },
      },
      false,
    );
    await create(
      "toolregistries",
      { apiVersion: API_VERSION, kind: "ToolRegistry", metadata: { name }, spec: { tools: [] } },
      false,
    );
    const condition = (type: string, reason: string) => ({
      conditions: [
        { type, status: "False", reason, message: "", lastTransitionTime: "2026-01-01T00:00:00Z" },
      ],
    });
    const status = (plural: string, value: object) =>
      server().request("PATCH", `${COLLECTION}/${plural}/${name}/status`, { status: value });
    const written = await Promise.all([
      status("agentruntimes", {
        phase: "Pending",
        ready: "0/1",
        replicas: 1,
        selector: "a=b",
        ...condition("Ready", "WaitingForPods"),
      }),
      status("promptpacks", {
        phase: "Canary",
        activeSemver: "1.0.0",
        canarySemver: "1.1.0",
        canaryWeight: 10,
        ...condition("SourceValid", "InvalidPack"),
      }),
      status("toolregistries", {
        phase: "Degraded",
        discoveredTools: 3,
        availableTools: 2,
        ...condition("AllToolsReady", "Unreachable"),
      }),
    ]);
    expect(written.map((answer) => answer.status)).toEqual([200, 200, 200]);

    const table = async (...args: string[]): Promise<string[]> => {
      const printed = await server().kubectl(["get", ...args]);
      return printed
        .trim()
        .split("\n")
        .map((line) => line.trim().replaceAll(/ {2,}/g, " ").replace(/ \S+$/, ""));
    };
    expect(await table("ar")).toEqual([
      "NAME PHASE READY HANDLER MODEL PACK REASON",
      "columns Pending 0/1 demo gpt-4 prompts WaitingForPods",
    ]);
    expect(await table("pp")).toEqual([
      "NAME PHASE VERSION CANARY WEIGHT REASON",
      "columns Canary 1.0.0 1.1.0 10 InvalidPack",
    ]);
    expect(await table("tr")).toEqual([
      "NAME PHASE TOOLS AVAILABLE REASON",
      "columns Degraded 3 2 Unreachable",
    ]);
    const all = await server().kubectl(["get", "omnia", "-o", "name"]);
    expect(all.trim().split("\n")).toHaveLength(3);
  });

  it("scales an agent, and tells an autoscaler its pods", async () => {
    const name = "scaled";
    const manifest = {
      apiVersion: API_VERSION,
      kind: "AgentRuntime",
      metadata: { name },
      spec: { facade: { handler: "demo" } },
    };
    await create("agentruntimes", manifest, false);
    const path = `${COLLECTION}/agentruntimes/${name}`;
    await server().request("PATCH", `${path}/status`, {
      status: { replicas: 1, selector: "app.kubernetes.io/instance=scaled" },
    });
    await server().kubectl(["scale", "ar", name, "--replicas=3"]);
    const { body } = await server().request("GET", `${path}/scale`);
    expect(body).toMatchObject({
      spec: { replicas: 3 },
      status: { replicas: 1, selector: "app.kubernetes.io/instance=scaled" },
    });
  });

  it("lets an object that a newer rule would refuse lose its finalizer", async () => {
    const name = "old";
    const path = `${COLLECTION}/agentruntimes/${name}`;
    const definition =
      "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/agentruntimes.omnia.altairalabs.ai";
    const { body: strict } = await server().request("GET", definition);
    const lax = structuredClone(strict);
    delete lax.spec.versions[0].schema.openAPIV3Schema.properties.spec["x-kubernetes-validations"];
    await server().request("PUT", definition, lax);
    const manifest = {
      apiVersion: API_VERSION,
      kind: "AgentRuntime",
      metadata: { name, finalizers: ["example.com/keep"] },
      spec: {},
    };
    // Without the rule it is taken, as soon as the server has noticed.
    await expect
      .poll(async () => (await create("agentruntimes", manifest, false)).status, {
        timeout: 60_000,
      })
      .toBe(201);
    const { body: current } = await server().request("GET", definition);
    await server().request("PUT", definition, { ...current, spec: strict.spec });
    await expect
      .poll(
        async () =>
          (await create("agentruntimes", { ...manifest, metadata: { name: "x" } })).status,
        {
          timeout: 60_000,
        },
      )
      .toBe(422);

    await server().request("DELETE", path);
    const freed = await server().request("PATCH", path, { metadata: { finalizers: null } });
    expect(freed).toMatchObject({ status: 200 });
    expect((await server().request("GET", path)).status).toBe(404);
  });
});
