import { describe, expect, it } from "vitest";
import { aPrompt } from "../../../test/support/builders/agent-config.ts";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { earlierPrompts } from "../../control/agent-runtime/earlier-prompts.ts";
import type { AgentConfig } from "../../agent-config/agent-config.ts";
import { MemorySessionStore } from "../sessions/memory/memory-session-store.ts";
import { promptOfSession, promptVersions } from "./session-prompt.ts";

type Prompts = NonNullable<AgentConfig["prompt"]>;

const stable = aPrompt({ version: "stable" });
const trial = aPrompt({ version: "trial" });
const sessions = Array.from({ length: 10_000 }, (_, index) => `session-${index}`);

function weighed(weight: number): Prompts {
  return { active: stable, canary: { weight, prompt: trial }, earlier: [] };
}

function freshVersion(prompt: Prompts, sessionId: string): string | undefined {
  return promptVersions({ handler: "runtime", prompt }, sessionId)?.fresh;
}

function onCanary(weight: number): string[] {
  return sessions.filter((id) => freshVersion(weighed(weight), id) === "trial");
}

describe("the version of a new session", () => {
  it("is the canary's in the share of sessions that it weighs", () => {
    expect(onCanary(0)).toHaveLength(0);
    expect(onCanary(100)).toHaveLength(sessions.length);
    for (const weight of [10, 25, 50, 90]) {
      const share = (100 * onCanary(weight).length) / sessions.length;
      expect(Math.abs(share - weight)).toBeLessThan(1.5);
    }
  });

  it("is the active one where there is no canary", () => {
    expect(freshVersion({ active: stable }, "session-1")).toBe("stable");
  });

  it("is none for a handler without a prompt", () => {
    expect(promptVersions({ handler: "echo", prompt: { active: stable } }, "s")).toBeUndefined();
  });
});

describe("the version of a session that has one", () => {
  async function aStoreOfSessions() {
    const store = new MemorySessionStore({ clock: new ManualClock(), ttlMs: 3_600_000 });
    const client = { owner: "somebody", holder: "somebody" };
    for (const id of sessions) await store.create(id, client);
    let turns = 0;
    /** Has a turn in each session, and gives the versions that the turns ran with. */
    return async (prompt: Prompts): Promise<(string | undefined)[]> => {
      const versions: (string | undefined)[] = [];
      turns += 1;
      for (const sessionId of sessions) {
        const begun = await store.beginTurn(sessionId, client.owner, {
          turnId: `turn-${turns}`,
          userMessage: "hello",
          promptVersions: promptVersions({ handler: "runtime", prompt }, sessionId),
        });
        if (begun.status !== "started") throw new Error(begun.status);
        const { lease, promptVersion } = begun;
        versions.push(promptOfSession(prompt, { sessionId, promptVersion }).version);
        await store.withdrawTurn(sessionId, lease);
      }
      return versions;
    };
  }

  it("stays through every weight, a promotion, the next edit and a way back", async () => {
    const turn = await aStoreOfSessions();
    const begun = await turn(weighed(50));
    expect(new Set(begun)).toEqual(new Set(["stable", "trial"]));
    const next = aPrompt({ version: "next" });
    const configs: Prompts[] = [
      weighed(90),
      weighed(10),
      { active: trial, earlier: [stable] },
      { active: trial, canary: { weight: 60, prompt: next }, earlier: [stable] },
      { active: stable, earlier: [trial, next] },
    ];
    for (const config of configs) expect(await turn(config)).toEqual(begun);
  });

  it("is the active one where the config keeps none, and then that one stays", async () => {
    const turn = await aStoreOfSessions();
    await turn(weighed(50));
    const all = (version: string) => sessions.map(() => version);
    expect(await turn({ active: trial })).toEqual(all("trial"));
    expect(await turn(weighed(0))).toEqual(all("trial"));
  });

  it("is that of a new session when the config has its own no more", async () => {
    const turn = await aStoreOfSessions();
    await turn(weighed(50));
    const next = aPrompt({ version: "next" });
    expect(await turn({ active: next, earlier: [] })).toEqual(sessions.map(() => "next"));
  });
});

describe("the version of a session that runs", () => {
  it("stays through steps, a promotion, another edit, and a canary that is taken back", () => {
    const next = aPrompt({ version: "next" });
    const stages: readonly Omit<Prompts, "earlier">[] = [
      { active: stable },
      { active: stable, canary: { weight: 10, prompt: trial, trial: "1" } },
      { active: stable, canary: { weight: 50, prompt: trial, trial: "2" } },
      { active: stable, canary: { weight: 100, prompt: trial, trial: "3" } },
      { active: trial },
      { active: trial, canary: { weight: 50, prompt: next, trial: "4" } },
      { active: trial },
    ];
    const versions = new Map<string, string | undefined>();
    const changed: string[] = [];
    let before: Prompts | undefined;
    for (const [stage, prompts] of stages.entries()) {
      const last = before === undefined ? undefined : { prompt: before, tools: [] };
      const prompt: Prompts = { ...prompts, earlier: earlierPrompts(prompts, [], last) };
      before = prompt;
      for (const [sessionId, promptVersion] of versions) {
        const now = promptOfSession(prompt, { sessionId, promptVersion }).version;
        if (now !== promptVersion) changed.push(`${sessionId} in stage ${stage}`);
      }
      for (const session of sessions) {
        const sessionId = `${stage} ${session}`;
        versions.set(sessionId, freshVersion(prompt, sessionId));
      }
    }
    expect(changed).toEqual([]);
    expect(new Set(versions.values())).toEqual(new Set(["stable", "trial", "next"]));
  });
});
