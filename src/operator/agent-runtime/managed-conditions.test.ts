import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { KubeClient } from "../../kube/client/client.ts";
import { RateLimiter } from "../../kube/client/rate-limiter.ts";
import { EventRecorder } from "../../kube/events.ts";
import { createLog } from "../../observability/log.ts";
import { Claims } from "../claims/claims.ts";
import { OtherOperators } from "../claims/other-operators.ts";
import type { StoredAgentRuntime } from "../cluster/kubernetes-objects.ts";
import { ManagedConditions } from "./managed-conditions.ts";

const MINUTE_MS = 60_000;
const { signal } = new AbortController();

/** An operator in the namespace `own` that may not look at the leases of others. */
function anOperator() {
  const clock = new ManualClock();
  /** What was written, and as which field manager. */
  const writes: string[] = [];
  let version = 1;
  const client = new KubeClient({
    transport: {
      close() {},
      send: async ({ method, path, body = "" }) => {
        const url = new URL(path, "http://server");
        const { status, reason } = JSON.parse(body) as { status?: object; reason?: string };
        const what = /events/.test(path)
          ? `event ${reason}`
          : status === undefined
            ? "removes"
            : "says";
        writes.push(`${url.searchParams.get("fieldManager")} ${what}`);
        const metadata = { name: "agent", uid: "one", resourceVersion: String(++version) };
        return Object.assign(Readable.from([Buffer.from(JSON.stringify({ metadata }))]), {
          statusCode: method === "POST" ? 201 : 200,
          headers: {},
        }) as unknown as IncomingMessage;
      },
    },
    rateLimiter: new RateLimiter({ clock, perSecond: 100, burst: 100 }),
    fieldManager: "omnia-operator",
    clock,
  });
  const others = new OtherOperators({
    client,
    clock,
    judges: false,
    isConcerned: () => true,
    onChange: () => {},
    onError: () => {},
  });
  const events = new EventRecorder({
    client,
    reportingController: "example.com/operator",
    reportingInstance: "one",
    clock,
    newName: () => "name",
    onError: () => {},
  });
  const log = createLog({ level: "silent" });
  const claims = new Claims({ client, own: "own", others, clock });
  return { clock, writes, managed: new ManagedConditions({ client, events, clock, log }, claims) };
}

function anAgent(fields: Partial<StoredAgentRuntime> = {}): StoredAgentRuntime {
  const metadata = { name: "agent", namespace: "team", uid: "one", resourceVersion: "1" };
  return { metadata, ...fields } as StoredAgentRuntime;
}

const READY = {
  type: "Ready",
  status: "True",
  reason: "AsWanted",
  message: "",
  lastTransitionTime: "2026-03-01T12:00:00Z",
} as const;

describe("what an operator says of an agent that another looks after", () => {
  it("is said once, with one event, though the cache is behind", async () => {
    const { managed, writes } = anOperator();
    const agent = anAgent({ status: { phase: "Running", conditions: [READY] } as never });
    for (let pass = 0; pass < 3; pass += 1) await managed.say(agent, "other", signal);
    expect(writes).toEqual(["omnia-operator@own says", "omnia-operator event ManagedByAnother"]);
  });

  it("is said of an agent without a status only after the other had time to write one", async () => {
    const { clock, managed, writes } = anOperator();
    expect(await managed.say(anAgent(), "other", signal)).toBe(5_000);
    await clock.advance(4_000);
    expect(await managed.say(anAgent(), "other", signal)).toBe(1_000);
    expect(writes).toEqual([]);
    await clock.advance(1_000);
    expect(await managed.say(anAgent(), "other", signal)).toBeUndefined();
    expect(writes[0]).toBe("omnia-operator@own says");
  });

  it("goes at once when this operator looks after the agent", async () => {
    const { managed, writes } = anOperator();
    const agent = anAgent({ keptOffBy: ["own"] });
    for (let pass = 0; pass < 3; pass += 1) await managed.clear(agent, signal);
    expect(writes).toEqual(["omnia-operator@own removes"]);
  });

  it("goes for a trial after five minutes where nobody can see who said it, and ever more seldom", async () => {
    const { clock, managed, writes } = anOperator();
    const agent = anAgent({ keptOffBy: ["other"] });
    const removedAt: number[] = [];
    let delay = (await managed.clear(agent, signal)) ?? 0;
    for (let pass = 0; pass < 8; pass += 1) {
      const before = writes.length;
      await clock.advance(delay);
      const next = await managed.clear(agent, signal);
      if (writes.length > before) removedAt.push(clock.monotonic() / MINUTE_MS);
      delay = next ?? MINUTE_MS;
    }
    expect(removedAt.slice(0, 3)).toEqual([5, 15, 35]);
    expect(new Set(writes)).toEqual(new Set(["omnia-operator@other removes"]));
  });
});
