import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { KubeConfig } from "@kubernetes/client-node";
import { afterEach, describe, expect, it } from "vitest";
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
    expect(rig.writes).toEqual(["PATCH status", "PATCH status", "POST events"]);
  });
});
