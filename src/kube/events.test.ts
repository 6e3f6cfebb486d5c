import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { KubeConfig } from "@kubernetes/client-node";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ManualClock } from "../../test/support/builders/manual-clock.ts";
import { KubeClient } from "./client/client.ts";
import { RateLimiter } from "./client/rate-limiter.ts";
import { createTransport } from "./client/transport.ts";
import { EventRecorder, MAX_REPORTS_UNDER_WAY } from "./events.ts";

const PODS = { group: "", version: "v1", kind: "Pod", plural: "pods", namespaced: true };

/** A recorder, and the Events that a server has not answered yet. */
async function aRecorder() {
  const asked: { reason: string; response: ServerResponse }[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      const { reason } = JSON.parse(text) as { reason: string };
      asked.push({ reason, response });
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const kubeConfig = new KubeConfig();
  const { port } = server.address() as AddressInfo;
  kubeConfig.loadFromOptions({
    clusters: [{ name: "c", server: `http://127.0.0.1:${port}`, skipTLSVerify: true }],
    users: [{ name: "u" }],
    contexts: [{ name: "x", cluster: "c", user: "u" }],
    currentContext: "x",
  });
  const clock = new ManualClock();
  const ending = new AbortController();
  const errors: unknown[] = [];
  const recorder = new EventRecorder({
    client: new KubeClient({
      transport: createTransport(kubeConfig),
      rateLimiter: new RateLimiter({ clock, perSecond: 1_000, burst: 1_000 }),
      fieldManager: "test",
    }),
    reportingController: "example.com/test",
    reportingInstance: "test",
    clock,
    newName: () => "1",
    onError: (error) => errors.push(error),
  });
  onTestFinished(() => {
    ending.abort();
    server.closeAllConnections();
    server.close();
  });
  const begin = (name: string): Promise<void> => {
    const about = { metadata: { name, namespace: "default", uid: name } };
    const event = { type: "Normal", reason: name, action: "Reconcile", note: "done" } as const;
    return recorder.begin(PODS, about, [event], ending.signal);
  };
  return { begin, asked, errors, ending };
}

describe("an event recorder", () => {
  it("has so many reports under way at a time, and the others wait for their turn", async () => {
    const { begin, asked, errors } = await aRecorder();
    const count = 2 * MAX_REPORTS_UNDER_WAY;
    const begun: number[] = [];
    const all = Promise.all(
      Array.from({ length: count }, async (_, index) => {
        await begin(`pod-${index}`);
        begun.push(index);
      }),
    );
    await vi.waitFor(() => expect(asked).toHaveLength(MAX_REPORTS_UNDER_WAY), 5_000);
    expect(begun).toHaveLength(MAX_REPORTS_UNDER_WAY);
    // One that fails gives its place to the next as well.
    asked.shift()?.response.writeHead(403).end("{}");
    await vi.waitFor(() => expect(asked).toHaveLength(MAX_REPORTS_UNDER_WAY), 5_000);
    expect(begun.at(-1)).toBe(MAX_REPORTS_UNDER_WAY);
    expect(begun).toHaveLength(MAX_REPORTS_UNDER_WAY + 1);
    for (const { response } of asked.splice(0)) response.writeHead(201).end("{}");
    await all;
    expect(begun).toEqual(Array.from({ length: count }, (_, index) => index));
    await vi.waitFor(() => expect(asked).toHaveLength(MAX_REPORTS_UNDER_WAY - 1), 5_000);
    for (const { response } of asked.splice(0)) response.writeHead(201).end("{}");
    expect(errors).toHaveLength(1);
  });

  it("lets nobody wait once it is over", async () => {
    const { begin, asked, errors, ending } = await aRecorder();
    const all = Promise.all(
      Array.from({ length: 3 * MAX_REPORTS_UNDER_WAY }, (_, index) => begin(`pod-${index}`)),
    );
    await vi.waitFor(() => expect(asked).toHaveLength(MAX_REPORTS_UNDER_WAY), 5_000);
    ending.abort();
    await all;
    expect(errors).toEqual([]);
  });
});
