import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { describe, expect, it, onTestFinished } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { ConnectionError } from "../../kube/client/api-error.ts";
import { KubeClient } from "../../kube/client/client.ts";
import { RateLimiter } from "../../kube/client/rate-limiter.ts";
import { LOOKS_AFTER_ANNOTATION } from "../cluster/labels.ts";
import { GONE_MS, LOOK_MS, MAX_OPERATORS, OtherOperators } from "./other-operators.ts";

/** What the API server answers about the lease of the other operator. */
type Answer = number | "cut" | { resourceVersion: string; annotations?: Record<string, string> };

function aWatch({ judges = true } = {}) {
  const clock = new ManualClock();
  const changes: string[] = [];
  const errors: string[] = [];
  const server = { answer: 404 as Answer, requests: 0 };
  const client = new KubeClient({
    transport: {
      close() {},
      send: async () => {
        server.requests += 1;
        const { answer } = server;
        if (answer === "cut") throw new ConnectionError("cut");
        const body = typeof answer === "number" ? {} : { metadata: answer };
        return Object.assign(Readable.from([Buffer.from(JSON.stringify(body))]), {
          statusCode: typeof answer === "number" ? answer : 200,
          headers: {},
        }) as unknown as IncomingMessage;
      },
    },
    rateLimiter: new RateLimiter({ clock, perSecond: 100, burst: 100 }),
    fieldManager: "test",
    clock,
  });
  const concerned = new Set(["other"]);
  const others = new OtherOperators({
    client,
    clock,
    judges,
    isConcerned: (operator) => concerned.has(operator),
    onChange: (operator) => changes.push(`${operator} ${others.standing(operator, "team")}`),
    onError: (operator) => errors.push(operator),
  });
  const ending = new AbortController();
  const running = others.run(ending.signal);
  onTestFinished(async () => {
    ending.abort();
    await running;
  });

  /** Lets time go by, with what is to happen in it. `each` is called before each look. */
  async function pass(ms: number, each: () => void = () => {}): Promise<void> {
    for (let passed = 0; passed < ms; passed += LOOK_MS) {
      each();
      await clock.advance(LOOK_MS);
      for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
    }
  }
  const renewed = (annotations?: Record<string, string>): void => {
    server.answer = {
      resourceVersion: String(clock.monotonic()),
      ...(annotations === undefined ? {} : { annotations }),
    };
  };
  return { clock, server, others, changes, errors, concerned, pass, renewed };
}

describe("another operator", () => {
  it("is alive once its lease was seen to change", async () => {
    const { others, pass, renewed, changes } = aWatch();
    renewed();
    expect(others.standing("other", "team")).toBe("unknown");
    await pass(LOOK_MS, renewed);
    await pass(10 * GONE_MS, renewed);
    expect(others.standing("other", "team")).toBe("alive");
    expect(changes).toEqual(["other alive"]);
  });

  it("is gone when its lease stood still for 30 s, and not before", async () => {
    const { others, pass, renewed } = aWatch();
    renewed();
    others.standing("other", "team");
    await pass(GONE_MS - LOOK_MS);
    expect(others.standing("other", "team")).toBe("unknown");
    await pass(3 * LOOK_MS);
    expect(others.standing("other", "team")).toBe("gone");
    renewed();
    await pass(LOOK_MS);
    expect(others.standing("other", "team")).toBe("alive");
  });

  it("is gone when there is no lease at two looks, as one that is deleted is made again", async () => {
    const { others, pass, renewed, server } = aWatch();
    renewed();
    others.standing("other", "team");
    await pass(2 * LOOK_MS, renewed);
    server.answer = 404;
    await pass(LOOK_MS);
    expect(others.standing("other", "team")).toBe("alive");
    await pass(LOOK_MS);
    expect(others.standing("other", "team")).toBe("gone");
  });

  it("is not taken for gone because the API server was away, which kept it from its lease too", async () => {
    const { others, pass, renewed, server } = aWatch();
    renewed();
    others.standing("other", "team");
    await pass(2 * LOOK_MS, renewed);
    const last = server.answer;
    server.answer = "cut";
    await pass(2 * GONE_MS);
    server.answer = last;
    await pass(2 * LOOK_MS);
    expect(others.standing("other", "team")).toBe("alive");
    renewed();
    await pass(GONE_MS, renewed);
    expect(others.standing("other", "team")).toBe("alive");
  });

  it("counts as running while its lease may not be read, which is told once", async () => {
    const { others, pass, server, errors, changes } = aWatch();
    server.answer = 403;
    others.standing("other", "team");
    await pass(10 * GONE_MS);
    expect(others.standing("other", "team")).toBe("unseen");
    expect(errors).toEqual(["other"]);
    expect(changes).toEqual(["other unseen"]);
    expect(server.requests).toBeLessThan(10);
  });

  it("is gone from a namespace that it says it does not look after", async () => {
    const { others, pass, renewed, changes } = aWatch();
    const all = (): void => renewed({ [LOOKS_AFTER_ANNOTATION]: "*" });
    all();
    others.standing("other", "team");
    await pass(3 * LOOK_MS, all);
    expect(others.standing("other", "team")).toBe("alive");
    await pass(2 * LOOK_MS, () => renewed({ [LOOKS_AFTER_ANNOTATION]: "a,team-b" }));
    expect(others.standing("other", "team")).toBe("gone");
    expect(others.standing("other", "a")).toBe("alive");
    expect(changes).toEqual(["other unknown", "other alive", "other gone"]);
    await pass(2 * LOOK_MS, () => renewed());
    expect(others.standing("other", "team")).toBe("alive");
  });

  it("is no longer looked at when no resource has to do with it", async () => {
    const { others, pass, renewed, concerned, server } = aWatch();
    renewed();
    others.standing("other", "team");
    await pass(LOOK_MS);
    concerned.clear();
    await pass(2 * LOOK_MS);
    const before = server.requests;
    await pass(GONE_MS);
    expect(server.requests).toBe(before);
  });

  it("is looked at only as one of so many", async () => {
    const { others } = aWatch();
    for (let index = 0; index < MAX_OPERATORS; index += 1) {
      expect(others.standing(`operator-${index}`, "team")).toBe("unknown");
    }
    expect(others.standing("one-more", "team")).toBe("unseen");
  });

  it("is judged by none that has no lease itself", async () => {
    const { others, pass, server } = aWatch({ judges: false });
    expect(others.standing("other", "team")).toBe("unseen");
    await pass(GONE_MS);
    expect(server.requests).toBe(0);
  });
});
