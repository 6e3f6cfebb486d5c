import { describe, expect, it } from "vitest";
import { plainText } from "../../observability/terminal/line.ts";
import { explanationLines } from "./explain.ts";
import { findResource, readResourceName } from "./find-resource.ts";
import { readResourceViews, type ResourceView } from "./view.ts";

function view(
  kind: string,
  name: string,
  parts: { namespace?: string; spec?: object; status?: object } = {},
): ResourceView {
  const { namespace = "default", spec = {}, status = {} } = parts;
  const [resource] = readResourceViews([{ kind, metadata: { name, namespace }, spec, status }]);
  if (resource === undefined) throw new Error("not a resource");
  return resource;
}

const lines = (resource: ResourceView): string =>
  explanationLines(resource, "local").map(plainText).join("\n");

describe("what is explained", () => {
  it("an agent that is not ready: why, what to do, and what comes after that", () => {
    const conditions = [
      {
        type: "Available",
        status: "False",
        reason: "WaitingForReferences",
        message: "waits for both",
      },
      {
        type: "PromptPackReady",
        status: "False",
        reason: "NotFound",
        message: 'There is no PromptPack "p"',
      },
      {
        type: "ProviderReady",
        status: "False",
        reason: "SecretNotFound",
        message: 'There is no Secret "s"',
      },
    ];
    const spec = { promptPackRef: { name: "p" }, facade: { auth: { jwt: {} } } };
    expect(
      lines(view("AgentRuntime", "support", { spec, status: { phase: "Pending", conditions } })),
    ).toMatchInlineSnapshot(`
      "AgentRuntime "support" is Pending: PromptPackReady is False, NotFound.

      Why:   There is no PromptPack "p".
      To do: Make the PromptPack "p", or correct spec.promptPackRef.

      After that:
        ProviderReady: There is no Secret "s"."
    `);
  });

  it("an agent that is ready: where it is, and that everybody may talk to it", () => {
    const conditions = [
      { type: "Available", status: "True", reason: "ReplicasAvailable", message: "" },
    ];
    const status = { phase: "Running", endpoint: "ws://localhost:8080/ws?agent=a", conditions };
    expect(lines(view("AgentRuntime", "a", { namespace: "agents", status })))
      .toMatchInlineSnapshot(`
      "AgentRuntime "a" is Running, and all is well.

      Endpoint: ws://localhost:8080/ws?agent=a
      Talk to it: omnia chat a -n agents

      Authentication is off: whoever reaches the agent may talk to it. spec.facade.auth turns it on."
    `);
  });

  it("a resource without a status", () => {
    expect(lines(view("PromptPack", "p"))).toMatchInlineSnapshot(`
      "PromptPack "p" has no status yet.

      Why:   Nothing has looked at it so far.
      To do: Start the operator, or omnia up on one machine; if it runs, read its log."
    `);
  });

  it("a prompt pack: its versions, and which part of the new sessions each gets", () => {
    const conditions = [{ type: "SourceValid", status: "True", reason: "Valid", message: "" }];
    const status = {
      phase: "Canary",
      conditions,
      activeVersion: "0123456789ab",
      activeSemver: "1.9.0",
      canaryVersion: "ba9876543210",
      canarySemver: "1.10.0",
      canaryWeight: 25,
    };
    const spec = { rollout: { strategy: "canary", canary: { weight: 25 } } };
    expect(lines(view("PromptPack", "prompts", { spec, status }))).toMatchInlineSnapshot(`
      "PromptPack "prompts" is Canary, and all is well.

      Versions:
        active  1.9.0   0123456789ab  75 % of new sessions
        canary  1.10.0  ba9876543210  25 % of new sessions
      A session keeps the version that it began with."
    `);
    const counts = { sessions: 12, turns: 30, errors: 1, validationFailures: 0 };
    const trial = {
      canaryMessage: "Step 2 of 3 (weight 25) lasts 10m",
      canaryStepSince: "2026-03-01T12:00:00.000Z",
      canaryCounts: counts,
    };
    const automatic = view("PromptPack", "prompts", { spec, status: { ...status, ...trial } });
    expect(lines(automatic)).toContain(
      [
        "Canary: Step 2 of 3 (weight 25) lasts 10m.",
        "  In this step, since 2026-03-01T12:00:00.000Z: 12 sessions began, 30 turns ended,",
        "  1 of them in an error, and validators found fault with 0.",
      ].join("\n"),
    );
    const { activeVersion, activeSemver } = status;
    const aborted = {
      phase: "Active",
      conditions,
      activeVersion,
      activeSemver,
      abortedVersion: "ba9876543210",
      abortedSemver: "1.10.0",
      abortedReason: "Step 1 of 3 (weight 10): 4 of 20 turns failed",
    };
    expect(lines(view("PromptPack", "prompts", { spec, status: aborted }))).toContain(
      "Taken back: 1.10.0 (ba9876543210). Step 1 of 3 (weight 10): 4 of 20 turns failed.",
    );
    const immediate = { phase: "Active", conditions, activeVersion, activeSemver };
    expect(lines(view("PromptPack", "prompts", { status: immediate }))).toContain(
      "active  1.9.0  0123456789ab  100 % of new sessions",
    );
  });
});

describe("which one is meant", () => {
  const resources = [
    view("AgentRuntime", "support", { namespace: "agents" }),
    view("AgentRuntime", "sales"),
    view("AgentRuntime", "support"),
    view("PromptPack", "sales"),
    view("PromptPack", "prompts", { namespace: "agents" }),
  ];
  const find = (text: string, namespace?: string): string => {
    const { kind, metadata } = findResource(resources, readResourceName(text, namespace));
    return `${kind} ${metadata.namespace}/${metadata.name}`;
  };

  it.for([
    ["ar/sales", "AgentRuntime default/sales"],
    ["AgentRuntimes/sales", "AgentRuntime default/sales"],
    ["PP/sales", "PromptPack default/sales"],
    ["promptpack/prompts", "PromptPack agents/prompts"],
    ["prompts", "PromptPack agents/prompts"],
    ["sales", "AgentRuntime default/sales"],
    ["agents/support", "AgentRuntime agents/support"],
    ["ar/agents/support", "AgentRuntime agents/support"],
  ] as const)("%s is %s", ([text, expected]) => {
    expect(find(text)).toBe(expected);
  });

  it.for([
    ["agentruntim/sales", "Did you mean agentruntime/sales? Kinds are agentruntime, promptpack"],
    ["tool-registry/x", "Did you mean toolregistry/x?"],
    ["provider/x", "Kinds are agentruntime, promptpack, toolregistry."],
  ] as const)("%s names no kind", ([text, cure]) => {
    const [prefix] = text.split("/");
    expect(() => find(text)).toThrow(
      expect.objectContaining({
        message: `"${prefix}" is neither a kind nor a namespace with something in it.`,
        cure: expect.stringMatching(new RegExp(`^${RegExp.escape(cure)}`)),
      }),
    );
  });

  it("takes the namespace into account", () => {
    expect(find("support", "agents")).toBe("AgentRuntime agents/support");
    expect(() => find("prompts", "default")).toThrow("no agent, prompt pack or tool registry");
  });

  it("asks which one when there are several", () => {
    expect(() => find("ar/support")).toThrow(
      "More than one is called support: agentruntime/agents/support, agentruntime/default/support.",
    );
  });

  it("lists what there is, and what is near, when there is none", () => {
    expect(() => find("ar/suport")).toThrow(
      expect.objectContaining({
        exitCode: 1,
        message: "There is no AgentRuntime called suport.",
        cure: "Did you mean support? There are: agents/support, default/sales, default/support.",
      }) as Error,
    );
    expect(() => find("tr/tools")).toThrow(
      expect.objectContaining({ cure: "There are no toolregistries at all." }) as Error,
    );
  });

  it.for(["", "ar/", "a/b/c/d", "/x"])("refuses %j as a usage error", (text) => {
    expect(() => find(text)).toThrow(expect.objectContaining({ exitCode: 2 }) as Error);
  });
});
