import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { startGateway } from "../../test/support/gateway/gateway-in-process.ts";
import type { ResourceView } from "./gateway-source.ts";

describe("over plain HTTP", () => {
  const resource: ResourceView = {
    apiVersion: "omnia.altairalabs.ai/v1alpha1",
    kind: "AgentRuntime",
    metadata: { name: "bot", namespace: "team-a" },
    spec: {},
    status: { phase: "Running", ready: "1/1" },
  };

  it("/healthz answers", async () => {
    const { port } = await startGateway({});
    const response = await fetch(`http://127.0.0.1:${port}/healthz`);
    expect([response.status, await response.json()]).toEqual([200, { status: "ok" }]);
  });

  it("what the API answers is for pages of the gateway only", async () => {
    const { port } = await startGateway({}, { resources: [resource] });
    const response = await fetch(`http://127.0.0.1:${port}/api/v1alpha1/resources`);
    expect(await response.json()).toEqual({ items: [resource] });
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
    expect(response.headers.get("cross-origin-resource-policy")).toBe("same-origin");
    const foreign = await fetch(`http://127.0.0.1:${port}/api/v1alpha1/resources`, {
      headers: { origin: "https://app.example" },
    });
    expect([foreign.status, await foreign.json()]).toMatchObject([
      403,
      {
        error: {
          code: "OriginNotAllowed",
          message: expect.stringContaining("answers its own pages alone") as string,
        },
      },
    ]);
  });

  it("/ says what runs and how to talk to it", async () => {
    const { port } = await startGateway({}, { resources: [resource] });
    const text = await (await fetch(`http://127.0.0.1:${port}/`)).text();
    expect(text).toBe(
      `Omnia runs here. Its agents:\n\nteam-a/bot: Running (1/1 ready)\n` +
        `  ws://127.0.0.1:${port}/ws?agent=bot&namespace=team-a\n  omnia chat bot -n team-a\n`,
    );
    // Without a console a browser is told the same.
    const page = await fetch(`http://127.0.0.1:${port}/?agent=x`, {
      headers: { accept: "text/html" },
    });
    expect(page.headers.get("content-type")).toMatch("text/plain");
    expect(await page.text()).toBe(text);
  });

  it("/ws without a handshake says that it wants one, and other paths that nothing is there", async () => {
    const { port } = await startGateway({});
    expect((await fetch(`http://127.0.0.1:${port}/ws?agent=x`)).status).toBe(426);
    const missing = await fetch(`http://127.0.0.1:${port}/nothing`);
    expect([missing.status, await missing.json()]).toMatchObject([
      404,
      { error: { code: "NotFound" } },
    ]);
  });

  it("a foreign name is refused", async () => {
    const { port } = await startGateway({});
    const outgoing = httpRequest({
      host: "127.0.0.1",
      port,
      path: "/healthz",
      headers: { host: "rebound.example" },
    });
    outgoing.end();
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    response.resume();
    expect(response.statusCode).toBe(403);
  });
});
