import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { agentConfigSchema } from "../../agent-config/agent-config.ts";
import { anAgentRuntime } from "../../../test/support/builders/resources.ts";
import {
  NOW,
  observed,
  packReference,
  registryReference,
  secret,
  theVersion,
} from "../../../test/support/builders/a-decision.ts";
import { REDIS, TOOLS } from "../../../test/support/decisions/decision-case.ts";
import type { AgentRuntimeInput } from "./decide-agent-runtime.ts";
import { decideAgentRuntime } from "./decide-agent-runtime.ts";

describe("any world", () => {
  const anySecret = fc.constantFrom(
    undefined,
    { found: false } as const,
    secret("s"),
    secret("s", "api-key", "url", "t"),
  );
  const anyWorld = fc.record({
    spec: fc.record({
      replicas: fc.constantFrom(0, 1, 3),
      handler: fc.constantFrom("runtime", "demo", "echo"),
      redis: fc.boolean(),
      tools: fc.boolean(),
      auth: fc.boolean(),
      autoscaling: fc.boolean(),
      image: fc.boolean(),
    }),
    promptPack: fc.constantFrom(
      undefined,
      { found: false } as const,
      packReference({ source: "{" }),
      packReference(),
      packReference({ source: "{", kept: [theVersion()] }),
      packReference({ kept: [theVersion()], canary: theVersion({ version: "2.0.0" }) }),
    ),
    toolRegistry: fc.constantFrom(
      undefined,
      { found: false } as const,
      registryReference(),
      registryReference({ reachable: { a: true, b: false } }),
    ),
    providerSecret: anySecret,
    sessionStoreSecret: anySecret,
    apiKeysSecret: anySecret,
    observed: fc.constantFrom(
      undefined,
      observed(0, 0),
      observed(1, 0),
      observed(3, 2),
      observed(3, 3),
      { ...observed(1, 0), failure: { reason: "PodsFailing" as const, message: "m" } },
      { ...observed(1, 1), obstacle: { reason: "Quota" as const, message: "m" } },
      { ...observed(2, 1), reports: [{ about: "session-store" as const, message: "m" }] },
    ),
  });
  type World = typeof anyWorld extends fc.Arbitrary<infer W> ? W : never;

  function inputOf(
    world: World,
    before?: ReturnType<typeof decideAgentRuntime>,
    now = NOW,
  ): AgentRuntimeInput {
    const { handler, redis, tools, auth, autoscaling, image, replicas } = world.spec;
    const { promptPack, toolRegistry, providerSecret, sessionStoreSecret, apiKeysSecret } = world;
    return {
      agentRuntime: anAgentRuntime({
        spec: {
          replicas,
          facade: { handler, ...(auth ? { auth: { apiKeysSecretRef: { name: "clients" } } } : {}) },
          ...(redis ? REDIS : {}),
          ...(tools ? TOOLS : {}),
          ...(autoscaling ? { autoscaling: { enabled: true } } : {}),
          ...(image ? { image: "example/agent:1" } : {}),
        },
        status: before?.status,
      }),
      references: { promptPack, toolRegistry, providerSecret, sessionStoreSecret, apiKeysSecret },
      observed: world.observed,
      previous: {
        config: before?.config,
        secretFiles: before?.workload?.secretFiles,
        madeOf: before?.madeOf,
      },
      now,
    };
  }

  /** As an operator knows them that has just started, and has read the last config. */
  function withoutOrigin(input: AgentRuntimeInput): AgentRuntimeInput {
    return { ...input, previous: { ...input.previous, madeOf: undefined } };
  }

  it("is decided alike a second time, so that nothing is written when nothing changed", () => {
    fc.assert(
      fc.property(anyWorld, (world) => {
        const first = decideAgentRuntime(inputOf(world));
        const second = decideAgentRuntime(inputOf(world, first, NOW + 60_000));
        expect(second).toEqual(first);
        expect(JSON.stringify(second.config)).toBe(JSON.stringify(first.config));
        const anew = decideAgentRuntime(withoutOrigin(inputOf(world, first, NOW + 60_000)));
        expect(anew).toEqual(first);
        expect(JSON.stringify(anew.config)).toBe(JSON.stringify(first.config));
      }),
    );
  });

  it("has the same config whether or not it is known what the last one was made of", () => {
    fc.assert(
      fc.property(anyWorld, anyWorld, fc.subarray(["key-1", "key-2"]), (world, next, keys) => {
        const first = decideAgentRuntime(inputOf(world));
        const input = { ...inputOf(next, first), gatewayKeys: keys };
        const second = decideAgentRuntime(input);
        const anew = decideAgentRuntime(withoutOrigin(input));
        expect(second).toEqual(anew);
        expect(JSON.stringify(second.config)).toBe(JSON.stringify(anew.config));
      }),
    );
  });

  it("keeps the very config that it was made of before, so that it is signed and written no second time", () => {
    fc.assert(
      fc.property(anyWorld, (world) => {
        const first = decideAgentRuntime(inputOf(world));
        const second = decideAgentRuntime(inputOf(world, first));
        expect(first.madeOf === undefined || second.config === first.config).toBe(true);
      }),
    );
  });

  it("leaves a running agent running, and a status that does not lie", () => {
    fc.assert(
      fc.property(anyWorld, anyWorld, (world, next) => {
        const first = decideAgentRuntime(inputOf(world));
        const second = decideAgentRuntime(inputOf(next, first));
        const { config, workload, status } = second;
        expect(config !== undefined || first.config === undefined).toBe(true);
        expect(workload !== undefined).toBe(config !== undefined);
        expect(config === undefined || agentConfigSchema.safeParse(config).success).toBe(true);
        const isAvailable = status.conditions?.[0]?.status === "True";
        expect(isAvailable).toBe((next.observed?.availableReplicas ?? 0) > 0);
        expect(status.phase === "Running").toBe(isAvailable);
        const [isReady, ...others] = (status.conditions ?? []).toReversed();
        const areWell = others.every(
          (other) => other.status === "True" || other.reason === "ScaledToZero",
        );
        expect(isReady?.status !== "True" || areWell).toBe(true);
        // A file that the config names is among those that the workload has.
        const files = workload?.secretFiles.map(({ path }) => path) ?? [];
        const named = [config?.provider?.apiKeyFile, config?.session.storeURLFile];
        expect(files).toEqual(expect.arrayContaining(named.filter((path) => path !== undefined)));
      }),
    );
  });
});
