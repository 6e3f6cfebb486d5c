import { describe, expect, it } from "vitest";
import { parseManifests } from "../api/manifest/manifest.ts";
import { localWorld, serviceViews, urlsToProbe } from "./world.ts";

describe("Services on one machine", () => {
  const world = localWorld(
    parseManifests(
      `
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: agents, annotations: {omnia.altairalabs.ai/local-url: "http://127.0.0.1:9"}}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: nowhere, namespace: agents}
---
apiVersion: v1
kind: Service
metadata: {name: elsewhere, namespace: other}
`,
      "a.yaml",
    ).resources,
    {},
  );

  it("are as ready as what stands for them", () => {
    expect(urlsToProbe(world)).toEqual(new Set(["http://127.0.0.1:9"]));
    const [orders] = serviceViews(
      world,
      "agents",
      new Map([["http://127.0.0.1:9", { reachable: true }]]),
    );
    expect(orders).toMatchObject({
      name: "orders",
      readyEndpoints: true,
      localURL: "http://127.0.0.1:9",
      ports: [{ name: "http", port: 80 }],
    });
    const down = new Map([
      ["http://127.0.0.1:9", { reachable: false, message: "127.0.0.1:9 refuses connections" }],
    ]);
    expect(serviceViews(world, "agents", down)[0]).toMatchObject({
      readyEndpoints: false,
      problem: "127.0.0.1:9 refuses connections",
    });
  });

  it("without anything that stands for them say how to give it, each namespace its own", () => {
    const views = serviceViews(world, "agents", new Map());
    expect(views.map(({ name }) => name)).toEqual(["orders", "nowhere"]);
    expect(views[1]?.problem).toContain("omnia.altairalabs.ai/local-url");
  });
});
