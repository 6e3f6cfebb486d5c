import type { IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { anAgentConfig } from "../../../test/support/builders/agent-config.ts";
import { createLog } from "../../observability/log.ts";
import { judgeUpgrade, readTarget, type Admission } from "./judge-upgrade.ts";

const MAX_CONNECTIONS = 100;
const NOW = Date.parse("2026-03-01T12:00:00Z");

const config = anAgentConfig();
const admission: Admission = {
  config,
  authenticator: undefined,
  isDraining: false,
  connections: 0,
  maxConnections: MAX_CONNECTIONS,
  isLocal: false,
  now: NOW,
  log: createLog({ level: "silent" }),
};

function judge(parts: Partial<Admission>, url = "/ws", headers: IncomingMessage["headers"] = {}) {
  return judgeUpgrade({ url, headers } as IncomingMessage, { ...admission, ...parts });
}

describe("judgeUpgrade", () => {
  it("lets a client in, with the session that it asks for", async () => {
    expect(await judge({}, "/?session_id=s%2F1&agent=helper")).toEqual({
      ok: true,
      credential: undefined,
      sessionId: "s/1",
    });
  });

  it.each([
    "http://localhost:3000",
    "http://app.localhost",
    "http://127.0.0.1:5173",
    "http://[::1]",
  ])(
    "lets in a page of %s only where the agent listens on loopback, or names it",
    async (origin) => {
      const local = { host: "localhost:8080", origin };
      expect(await judge({ isLocal: true }, "/", local)).toMatchObject({ ok: true });
      const elsewhere = { host: "agents.example", origin };
      expect(await judge({}, "/", elsewhere)).toMatchObject({ refusal: { status: 403 } });
      const facade = { port: 0, allowedOrigins: [origin] };
      const named = await judge({ config: { ...config, facade } }, "/", elsewhere);
      expect(named).toMatchObject({ ok: true });
    },
  );

  it("lets in a page that the agent's own address served, as a forwarded port does", async () => {
    const headers = { host: "localhost:8080", origin: "http://localhost:8080" };
    expect(await judge({}, "/", headers)).toMatchObject({ ok: true });
  });

  it("lets in as many as the replica takes, and no more", async () => {
    expect(await judge({ connections: MAX_CONNECTIONS - 1 })).toMatchObject({ ok: true });
    expect(await judge({ connections: MAX_CONNECTIONS })).toMatchObject({
      refusal: { status: 503, code: "TooManyConnections" },
    });
  });

  it("looks at the token only when all else is well", async () => {
    const refuse = () => Promise.reject(new Error("must not be asked"));
    const authenticator = { authenticate: refuse, review: refuse };
    const secured = { ...config, facade: { port: 0, auth: {} } };
    const headers = { "x-api-key": "key", origin: "https://elsewhere.example" };
    expect(await judge({ config: secured, authenticator }, "/ws", headers)).toMatchObject({
      refusal: { status: 403 },
    });
    const other = judge({ config: secured, authenticator, connections: MAX_CONNECTIONS }, "/ws", {
      "x-api-key": "key",
    });
    expect(await other).toMatchObject({ refusal: { code: "TooManyConnections" } });
  });

  it("lets nobody in when the config asks for authentication and there is nothing to do it", async () => {
    const secured = { ...config, facade: { port: 0, auth: {} } };
    expect(await judge({ config: secured }, "/ws", { "x-api-key": "key" })).toMatchObject({
      refusal: { status: 401 },
    });
  });
});

describe("readTarget", () => {
  it("reads a target that is no URL", () => {
    expect(readTarget("//ws?a=1?2").path).toBe("//ws");
    expect(readTarget("//ws?a=1?2").query.get("a")).toBe("1?2");
    expect(readTarget("/").query.size).toBe(0);
  });
});
