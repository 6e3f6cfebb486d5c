import type { IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { aGatewaySigner } from "../../../test/support/builders/a-gateway-signer.ts";
import { anAgentConfig } from "../../../test/support/builders/agent-config.ts";
import type { GatewayRequest, GatewayTokenSigner } from "../../agent-config/gateway-token.ts";
import { createLog } from "../../observability/log.ts";
import type { Credential } from "../../authentication/credential.ts";
import { callerSubjectOf } from "../../authentication/credential.ts";
import { ConnectionReview, type Revocable } from "./connection-review.ts";
import { judgeUpgrade } from "./judge-upgrade.ts";

const NOW = Date.parse("2026-03-01T12:00:00Z");
const log = createLog({ level: "silent" });
const signer = aGatewaySigner({ now: () => NOW });
const believing = anAgentConfig({ gateway: { publicKeys: [signer.publicKey] } });
const secured = { ...believing, facade: { port: 0, auth: {} } };

function judge({
  config = believing,
  by = signer,
  now = NOW,
  headers,
  ...asked
}: Partial<GatewayRequest> & {
  config?: typeof believing;
  by?: GatewayTokenSigner;
  now?: number;
  headers?: IncomingMessage["headers"];
} = {}) {
  const token = by.sign({
    agent: "team/helper",
    subject: "ann",
    verbs: ["chat:create"],
    ...asked,
  });
  const all: IncomingMessage["headers"] = { "x-omnia-gateway-token": token, ...headers };
  return judgeUpgrade({ url: "/ws", headers: all } as IncomingMessage, {
    config,
    authenticator: {
      authenticate: (token) =>
        Promise.resolve(token === "good" ? { ...key, subject: "own" } : undefined),
      review: () => Promise.reject(new Error("must not be asked")),
    },
    isDraining: false,
    connections: 0,
    maxConnections: 10,
    isLocal: false,
    now,
    log,
  });
}

const key = { kind: "api-key", client: "own", digest: "" } as const;

const UNAUTHORIZED = { ok: false, refusal: { status: 401, code: "Unauthorized" } };

describe("a client that a gateway lets in", () => {
  it("is who the gateway says, whether the agent authenticates its clients or not", async () => {
    for (const config of [believing, secured]) {
      const verdict = await judge({ config, subjectEndsAt: NOW + 1 });
      expect(verdict).toEqual({
        ok: true,
        credential: {
          kind: "gateway",
          subject: 'gateway:"ann"',
          caller: "ann",
          publicKey: signer.publicKey,
          endsAt: NOW + 1,
        },
        sessionId: undefined,
      });
      expect(verdict.ok && verdict.credential && callerSubjectOf(verdict.credential)).toBe("ann");
    }
  });

  it("is anyone where the gateway does not say who it is, and has to authenticate itself as before", async () => {
    const anyone = { subject: undefined };
    expect(await judge(anyone)).toMatchObject({ ok: true, credential: undefined });
    expect(await judge({ config: secured, ...anyone })).toMatchObject(UNAUTHORIZED);
    const own = { ...anyone, headers: { "x-api-key": "good" } };
    expect(await judge({ config: secured, ...own })).toMatchObject({
      ok: true,
      credential: { kind: "api-key" },
    });
  });

  it.each<[string, Parameters<typeof judge>[0]]>([
    ["is for another agent", { agent: "team/other" }],
    ["allows to read sessions, and not to chat", { verbs: ["sessions:get"] }],
    ["is over", { now: NOW + 100_000 }],
    ["is of another gateway", { by: aGatewaySigner({ now: () => NOW }) }],
    ["is no token", { headers: { "x-omnia-gateway-token": "x" } }],
    ["is empty", { headers: { "x-omnia-gateway-token": "" } }],
    ["comes to an agent that knows no gateway", { config: anAgentConfig() }],
  ])("stays outside when the gateway's token %s, whatever else it brings", async (_says, asked) => {
    expect(await judge(asked)).toMatchObject(UNAUTHORIZED);
    const headers = { "x-api-key": "good", ...asked?.headers };
    expect(await judge({ ...asked, headers })).toMatchObject(UNAUTHORIZED);
  });

  it("is refused for its origin as any other client is", async () => {
    const headers = { host: "agents.example", origin: "https://elsewhere.example" };
    expect(await judge({ headers })).toMatchObject({ refusal: { status: 403 } });
  });
});

describe("the review of open connections", () => {
  function reviewOf(credential: Credential | undefined, authenticated: boolean) {
    const reasons: string[] = [];
    const keys = { current: [signer.publicKey] };
    const connection: Revocable = {
      credential,
      revoke: (reason) => reasons.push(reason) > 0,
    };
    const authenticator = {
      authenticate: () => Promise.resolve(undefined),
      review: () => Promise.resolve(() => false),
    };
    const review = new ConnectionReview([connection], {
      authenticator: () => (authenticated ? authenticator : undefined),
      gatewayKeys: () => keys.current,
      log,
    });
    return { review, reasons, keys };
  }

  it.each([true, false])(
    "keeps a client that a gateway let in for as long as the agent believes that gateway (authentication: %s)",
    async (authenticated) => {
      const verdict = await judge({ config: secured });
      const credential = verdict.ok ? verdict.credential : undefined;
      const { review, reasons, keys } = reviewOf(credential, authenticated);
      await review.run();
      expect(reasons).toEqual([]);
      keys.current = [aGatewaySigner().publicKey];
      await review.run();
      expect(reasons).toEqual(["the credential is no longer accepted"]);
    },
  );
});
