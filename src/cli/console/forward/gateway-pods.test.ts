import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import type { PodPort } from "../../../kube/client/port-forward.ts";
import { choosePod, GatewayPods, type GatewayPod } from "./gateway-pods.ts";

const { signal } = new AbortController();
const SERVICE = {
  namespace: "omnia-system",
  name: "omnia-gateway",
  port: 80,
  targetPort: "http",
  selector: { app: "omnia", part: "gateway" },
};

function aPod(
  name: string,
  {
    ready = "True",
    ending = false,
    port = 8080,
  }: Partial<Record<"ready", string>> & { ending?: boolean; port?: number } = {},
): GatewayPod {
  return {
    metadata: { name, ...(ending ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}) },
    spec: { containers: [{}, { ports: [{ name: "http", containerPort: port }] }] },
    status: { conditions: [{ type: "Ready", status: ready }] },
  };
}

describe("the pod of the gateway", () => {
  it.each<[string, readonly GatewayPod[], number | string, object | undefined]>([
    ["the first that is ready", [aPod("b"), aPod("a")], "http", { pod: "a", port: 8080 }],
    ["none that is not ready", [aPod("a", { ready: "False" })], "http", undefined],
    ["none that ends", [aPod("a", { ending: true }), aPod("b")], "http", { pod: "b", port: 8080 }],
    ["one by the number of a port", [aPod("a")], 9000, { pod: "a", port: 9000 }],
    ["one that has the port", [aPod("a")], "metrics", undefined],
    ["none where there is none", [], "http", undefined],
  ])("is %s", (_says, pods, port, expected) => {
    expect(choosePod(pods, port)).toEqual(expected);
  });
});

function connections(pods: () => readonly GatewayPod[]) {
  const opened: string[] = [];
  const streams: PassThrough[] = [];
  const gone = new Set<string>();
  const selectors: (string | undefined)[] = [];
  const made = new GatewayPods(
    {
      // oxlint-disable-next-line typescript/no-explicit-any -- the list is of pods alone
      list: async (_type, { labelSelector }): Promise<any> => {
        selectors.push(labelSelector);
        return { items: pods() };
      },
    },
    SERVICE,
    async ({ pod }: PodPort) => {
      if (gone.has(pod)) throw new Error(`pods "${pod}" not found`);
      opened.push(pod);
      const stream = new PassThrough();
      stream.on("error", () => {});
      streams.push(stream);
      return stream;
    },
  );
  return { made, opened, streams, gone, selectors };
}

describe("connections to the gateway", () => {
  it("go to the same pod, which is looked for once", async () => {
    const { made, opened, selectors } = connections(() => [aPod("a"), aPod("b")]);
    await made.connect(signal);
    await made.connect(signal);
    expect(opened).toEqual(["a", "a"]);
    expect(selectors).toEqual(["app=omnia,part=gateway"]);
  });

  it("go to another when the pod is gone", async () => {
    let pods = [aPod("a"), aPod("b")];
    const { made, opened, gone } = connections(() => pods);
    await made.connect(signal);
    pods = [aPod("b")];
    gone.add("a");
    await made.connect(signal);
    expect(opened).toEqual(["a", "b"]);
  });

  it("look for a pod again after a connection broke", async () => {
    let pods = [aPod("a"), aPod("b")];
    const { made, opened, streams } = connections(() => pods);
    await made.connect(signal);
    pods = [aPod("b")];
    streams[0]?.destroy(new Error("lost connection to pod"));
    await new Promise((resolve) => setImmediate(resolve));
    await made.connect(signal);
    expect(opened).toEqual(["a", "b"]);
  });

  it("are refused with what to look at where no pod is ready", async () => {
    const { made } = connections(() => []);
    await expect(made.connect(signal)).rejects.toMatchObject({
      message: "No pod of the gateway omnia-system/omnia-gateway is ready.",
      cure: "kubectl get pods -n omnia-system -l app=omnia,part=gateway",
    });
  });
});
