import { describe, expect, it } from "vitest";
import { CONDITIONS } from "../../api/conditions.ts";
import { OMNIA_KINDS, type OmniaKind } from "../../api/group.ts";
import { decided, observed, theReferences } from "../../../test/support/builders/a-decision.ts";
import { anAgentRuntime } from "../../../test/support/builders/resources.ts";
import { explain, type ExplainedCondition, type ExplainedResource } from "./explain.ts";

const condition = (type: string, reason: string, status = "False"): ExplainedCondition => ({
  type,
  reason,
  status,
  message: `the message of ${reason}`,
});

function resource(kind: OmniaKind, ...conditions: ExplainedCondition[]): ExplainedResource {
  return {
    kind,
    metadata: { name: "support" },
    spec: {},
    status: { phase: "Pending", conditions },
  };
}

const REASONS = OMNIA_KINDS.flatMap((kind) =>
  Object.entries(CONDITIONS[kind]).flatMap(([type, { notTrue }]) =>
    (notTrue as readonly string[]).map((reason) => [kind, type, reason] as const),
  ),
);

describe("explaining", () => {
  it.each(REASONS)("has a cure of its own for %s %s %s", (kind, type, reason) => {
    const { summary, cause, cure } = explain(resource(kind, condition(type, reason)));
    expect(summary).toBe(`${kind} "support" is Pending: ${type} is False, ${reason}`);
    expect(cause).toBe(`the message of ${reason}`);
    expect(cure).toMatch(/^[A-Z].{20,}\.$/);
    expect(cure).not.toBe(explain(resource(kind, condition(type, "Unheard"))).cure);
  });

  it.each([
    ["Unreachable", "HTTP 401. Correct its credential: authSecretRef", "Correct the credential"],
    ["Unreachable", 'Secret "docs" is not there; make it', "Correct the credential"],
    ["Unreachable", "nothing listens there", "Start what is behind the URL"],
    ["Unreachable", "See that its mcp.command is right", "Correct mcp.command of the entry"],
    ["InvalidTool", "Correct its name in allow, or remove it", "Correct the names in allow"],
    ["InvalidTool", "its schema cannot be used", "Correct the entry or the Service"],
  ])(
    "has the cure for a tool that is %s that its message asks for: %s",
    (reason, message, cure) => {
      const why = { ...condition("AllToolsReady", reason), message };
      expect(explain(resource("ToolRegistry", why)).cure).toContain(cure);
    },
  );

  it("names what is deepest: not that a replica waits, but what it waits for", () => {
    const { status } = decided({ references: theReferences({ providerSecret: { found: false } }) });
    const { spec, metadata, kind } = anAgentRuntime();
    const { summary, cause, cure } = explain({ kind, metadata, spec, status });
    expect(summary).toContain("ProviderReady");
    expect(cause).toContain('Secret "openai-credentials"');
    expect(cure).toContain("API key for openai");
  });

  it("names replicas that fail before tools that are out of reach", () => {
    const failing = explain(
      resource(
        "AgentRuntime",
        condition("Available", "PodsFailing"),
        condition("ToolRegistryReady", "Degraded"),
      ),
    );
    expect(failing.summary).toContain("PodsFailing");
    const starting = explain(
      resource(
        "AgentRuntime",
        condition("Available", "WaitingForPods"),
        condition("ToolRegistryReady", "NotFound"),
      ),
    );
    expect(starting.summary).toContain("ToolRegistryReady");
  });

  it("names an obstacle before the replicas that it keeps away, and does not send to a log that there is none of", () => {
    const words = "pods cannot be made: exceeded quota: small, requested: cpu=1, used: cpu=2";
    const quota = explain(
      resource(
        "AgentRuntime",
        { ...condition("Available", "ReplicasAvailable", "True"), message: "1 of 3" },
        { ...condition("Progressing", "Quota"), message: words },
        { ...condition("Ready", "Quota"), message: words },
      ),
    );
    expect(quota.summary).toContain("Progressing is False, Quota");
    expect(quota.cure).toContain('Raise ResourceQuota "small"');
    for (const reason of ["Unschedulable", "ImagePull"]) {
      const { summary, cure } = explain(
        resource(
          "AgentRuntime",
          condition("Available", reason === "ImagePull" ? "PodsFailing" : "WaitingForPods"),
          condition("Progressing", reason),
          condition("Ready", reason),
        ),
      );
      expect(summary).toContain(`Progressing is False, ${reason}`);
      expect(cure).toMatch(/no log/);
      expect(cure).not.toContain("kubectl");
    }
  });

  it.each([
    ["PodsFailing", "No replica is available: pods cannot be made: denied by a webhook", /no log/],
    ["PodsFailing", 'The operator does not allow the image "a"', /allowedImages/],
    ["WaitingForReferences", 'The operator does not allow the image "a"', /allowedImages/],
    ["WaitingForReferences", 'PromptPack "a" is not there', /^Make what/],
    ["PodsFailing", 'Service "a" is there and belongs to somebody else', /another name/],
    ["PodsFailing", 'the API server refuses Deployment "a": no', /refuses it/],
    ["PodsFailing", 'the container cannot be started: secret "a" not found', /no log/],
    ["PodsFailing", 'image "a" cannot be pulled: not found', /imagePullSecrets.*no log/],
    ["PodsFailing", "more memory than its limit and was ended (OOMKilled)", /limits\.memory/],
    ["PodsFailing", "no config (exit code 1)", /its log/],
    ["WaitingForPods", "a replica runs and is not ready: the store", /the replica names/],
    ["WaitingForPods", 'its node "a" does not report its state', /Bring the node back/],
    ["WaitingForPods", "a pod was ended (Evicted): low on memory", /lacks memory/],
    ["WaitingForPods", "None of 1 replica is available yet", /Wait a moment/],
  ])("fits the cure of %s to the words %s", (reason, message, cure) => {
    const broken = { ...condition("Available", reason), message };
    expect(explain(resource("AgentRuntime", broken)).cure).toMatch(cure);
  });

  it("says what a replica that runs misses before that it is waited for", () => {
    const { summary } = explain(
      resource(
        "AgentRuntime",
        condition("Available", "WaitingForPods"),
        condition("SessionStoreReady", "Unreachable"),
        condition("Ready", "Unreachable"),
      ),
    );
    expect(summary).toContain("SessionStoreReady is False, Unreachable");
  });

  it("does not say that all is well while something is being rolled out", () => {
    const { spec, metadata, kind } = anAgentRuntime();
    const { status } = decided({ observed: { ...observed(2, 2), updatedReplicas: 1 } });
    const explained = explain({ kind, metadata, spec, status });
    expect(explained.summary).toContain("Ready is False, RollingOut");
    expect(explained.cure).toContain("Wait a moment");
  });

  it("says that there is nothing to do", () => {
    const { spec, metadata, kind } = anAgentRuntime();
    const { status } = decided({ observed: observed(1, 1) });
    expect(explain({ kind, metadata, spec, status })).toEqual({
      summary: 'AgentRuntime "support" is Running, and all is well',
      cause: "Every condition holds",
      cure: "Nothing to do.",
    });
  });

  it("names what a pack says and is not run, though all conditions hold", () => {
    const message = 'ConfigMap "c" holds the valid pack "p" 1.0.0. Not run: workflow, skills';
    const holding = { type: "SourceValid", status: "True", reason: "Valid", message };
    const explained = explain({
      ...resource("PromptPack"),
      status: { phase: "Active", conditions: [holding] },
    });
    expect(explained.summary).toContain("not all that the pack says is run");
    expect(explained.cause).toBe("Not run: workflow, skills");
  });

  it("says that nothing has looked at a resource, or at its last change", () => {
    expect(explain({ ...resource("PromptPack"), status: undefined }).summary).toContain(
      "no status yet",
    );
    const old = resource("PromptPack", condition("SourceValid", "Valid", "True"));
    const { summary } = explain({
      ...old,
      metadata: { name: "support", generation: 3 },
      status: { ...old.status, observedGeneration: 2 },
    });
    expect(summary).toContain("before the last change");
  });
});
