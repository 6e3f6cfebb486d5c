import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { KubeConfig } from "@kubernetes/client-node";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import type { PromptPackStatus } from "../../api/prompt-pack.ts";
import { ConnectionError } from "../../kube/client/api-error.ts";
import { KubeClient } from "../../kube/client/client.ts";
import { EventRecorder } from "../../kube/events.ts";
import type { KubernetesObject } from "../../kube/client/object.ts";
import { RateLimiter } from "../../kube/client/rate-limiter.ts";
import { createTransport } from "../../kube/client/transport.ts";
import { PROMPT_PACKS } from "./kubernetes-objects.ts";
import { WrittenStatuses } from "./written-statuses.ts";

const { signal } = new AbortController();
const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

const accepts = (response: ServerResponse): void => void response.end("{}");
const breaksOff = (response: ServerResponse): void => void response.destroy();
const refuses = (status: number) => (response: ServerResponse) => {
  response.writeHead(status).end("{}");
};

/** Statuses that are written to a server that answers like this until it is told otherwise. */
async function statusesAgainst(answer: (response: ServerResponse) => void) {
  const rig = { answer, writes: [] as string[], clock: new ManualClock() };
  const server = createServer((request, response) => {
    rig.writes.push(`${request.method} ${request.url?.split("?")[0]?.split("/").at(-1)}`);
    request.resume().once("end", () => rig.answer(response));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromOptions({
    clusters: [{ name: "c", server: `http://127.0.0.1:${port}`, skipTLSVerify: true }],
    users: [{ name: "u" }],
    contexts: [{ name: "x", cluster: "c", user: "u" }],
    currentContext: "x",
  });
  const { clock } = rig;
  const transport = createTransport(kubeConfig);
  stops.push(() => {
    transport.close();
    server.closeAllConnections();
    server.close();
  });
  const client = new KubeClient({
    transport,
    rateLimiter: new RateLimiter({ clock, perSecond: 1_000, burst: 1_000 }),
    fieldManager: "test",
  });
  const events = new EventRecorder({
    client,
    reportingController: "test",
    reportingInstance: "test",
    clock,
    newName: () => "event",
    onError: () => {},
  });
  const statuses = new WrittenStatuses<PromptPackStatus>({ client, events, clock }, PROMPT_PACKS);
  return Object.assign(rig, { statuses });
}

function stored(
  resourceVersion: string,
  status?: PromptPackStatus,
  uid = "one",
): KubernetesObject & { status?: PromptPackStatus | undefined } {
  return { metadata: { name: "pack", namespace: "team", uid, resourceVersion }, status };
}

describe("WrittenStatuses", () => {
  it("what was written counts until the cache has it, and is not written twice", async () => {
    const { statuses, writes } = await statusesAgainst(accepts);
    const old = stored("1", { activeVersion: "a" });
    await statuses.write(old, { activeVersion: "b" }, signal);
    await statuses.write(old, { activeVersion: "b" }, signal);
    expect(writes).toEqual(["PATCH status"]);
    // The spec was changed in between, and the cache does not show the status yet.
    expect(statuses.of(stored("2", { activeVersion: "a" }))).toEqual({ activeVersion: "b" });
    const followed = stored("3", { activeVersion: "b" });
    expect(statuses.of(followed)).toBe(followed.status);
    await statuses.write(followed, { activeVersion: "b" }, signal);
    expect(writes).toEqual(["PATCH status"]);
  });

  it("what somebody else wrote does not count, and is written over", async () => {
    const { statuses, writes } = await statusesAgainst(accepts);
    await statuses.write(stored("1"), { activeVersion: "b" }, signal);
    const other = stored("2", { activeVersion: "x" });
    expect(statuses.of(other)).toEqual({ activeVersion: "b" });
    await statuses.write(other, { activeVersion: "b" }, signal);
    expect(writes).toEqual(["PATCH status", "PATCH status"]);
  });

  it("what was written without an answer counts once the cache shows it", async () => {
    const rig = await statusesAgainst(accepts);
    const { statuses } = rig;
    await statuses.write(stored("1"), { activeVersion: "a" }, signal);
    rig.answer = breaksOff;
    const known = stored("2", { activeVersion: "a" });
    await expect(statuses.write(known, { activeVersion: "b" }, signal)).rejects.toThrow(
      ConnectionError,
    );
    expect(statuses.of(known)).toEqual({ activeVersion: "a" });
    expect(statuses.of(stored("3", { activeVersion: "b" }))).toEqual({ activeVersion: "b" });
  });

  it("what was written of one object says nothing of another of its name", async () => {
    const { statuses } = await statusesAgainst(accepts);
    await statuses.write(stored("1"), { activeVersion: "a" }, signal);
    expect(statuses.of(stored("5", undefined, "two"))).toBeUndefined();
    expect(statuses.age(stored("5", undefined, "two"))).toBe(Infinity);
  });

  it.each([404, 409])("an object that has gone meanwhile (%d) is no failure", async (status) => {
    const { statuses } = await statusesAgainst(refuses(status));
    await statuses.write(stored("1"), { activeVersion: "a" }, signal);
    expect(statuses.of(stored("1"))).toBeUndefined();
  });

  it("conditions that changed are reported, once written", async () => {
    const rig = await statusesAgainst(accepts);
    const condition = (status: "True" | "False", reason: string) => ({
      conditions: [
        {
          type: "SourceValid",
          status,
          reason,
          message: "",
          lastTransitionTime: "2026-01-01T00:00:00Z",
        },
      ],
    });
    await rig.statuses.write(stored("1"), condition("True", "Valid"), signal);
    expect(rig.writes).toEqual(["PATCH status"]);
    const valid = stored("2", condition("True", "Valid"));
    await rig.statuses.write(valid, condition("False", "InvalidJSON"), signal);
    await vi.waitFor(() =>
      expect(rig.writes).toEqual(["PATCH status", "PATCH status", "POST events"]),
    );
  });

  describe("a change in the cache is an own write", () => {
    const [a, b] = [{ activeVersion: "a" }, { activeVersion: "b" }];

    it("when it shows the status that was written last, and nothing else", async () => {
      const { statuses } = await statusesAgainst(accepts);
      await statuses.write(stored("1", a), b, signal);
      const change = { before: stored("1", a), after: stored("2", { ...b }) };
      expect(statuses.isOwnWrite(change)).toBe(true);
      // The object of the cache is kept, and not a second one.
      expect(statuses.of(change.after)).toBe(change.after.status);
    });

    it("while the answer to the write has not come yet", async () => {
      const rig = await statusesAgainst(accepts);
      const change = { before: stored("1", a), after: stored("2", { ...b }) };
      const seen: boolean[] = [];
      rig.answer = (response) => {
        seen.push(rig.statuses.isOwnWrite(change));
        response.end("{}");
      };
      await rig.statuses.write(change.before, b, signal);
      expect(seen).toEqual([true]);
      expect(rig.statuses.of(change.before)).toBe(change.after.status);
    });

    it.each([
      ["another status", stored("1", a), stored("2", a)],
      ["a new object", undefined, stored("2", b)],
      ["the end of the object", stored("1", b), undefined],
      ["another object of the name", stored("1", a), stored("2", b, "two")],
      ["no status any more", stored("1", a), stored("2")],
      [
        "another spec",
        { ...stored("1", a), spec: { source: "one" } },
        { ...stored("2", b), spec: { source: "two" } },
      ],
      [
        "an annotation",
        stored("1", a),
        { ...stored("2", b), metadata: { ...stored("2").metadata, annotations: { by: "x" } } },
      ],
      ["what another operator says", stored("1", a), { ...stored("2", b), keptOffBy: ["other"] }],
    ])("and not when it shows %s", async (_, before, after) => {
      const { statuses } = await statusesAgainst(accepts);
      await statuses.write(stored("1", a), b, signal);
      expect(statuses.isOwnWrite({ before, after })).toBe(false);
    });

    it("and not while it is unknown what became of another write", async () => {
      const rig = await statusesAgainst(accepts);
      await rig.statuses.write(stored("1"), a, signal);
      rig.answer = breaksOff;
      const known = stored("2", a);
      await expect(rig.statuses.write(known, b, signal)).rejects.toThrow(ConnectionError);
      expect(rig.statuses.isOwnWrite({ before: known, after: stored("3", b) })).toBe(false);
    });

    it("and not before anything was written", async () => {
      const { statuses } = await statusesAgainst(accepts);
      expect(statuses.isOwnWrite({ before: stored("1", a), after: stored("2", b) })).toBe(false);
    });
  });
});
