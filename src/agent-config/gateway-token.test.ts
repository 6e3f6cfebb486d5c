import { generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import { GATEWAY_VERBS, GatewayTokenSigner, verifyGatewayToken } from "./gateway-token.ts";

const NOW = Date.parse("2026-03-01T12:00:00Z");
const MINUTE = 60_000;
const SKEW = 30_000;
const NO_KEY = "the key is no Ed25519 key";
const AGENT = "team/helper";

function aKey(type: "ed25519" | "ed448" = "ed25519") {
  const { privateKey, publicKey } =
    type === "ed25519" ? generateKeyPairSync("ed25519") : generateKeyPairSync("ed448");
  return {
    privateKey,
    pem: privateKey.export({ type: "pkcs8", format: "pem" }),
    publicKey: publicKey.export({ type: "spki", format: "der" }).toString("base64"),
  };
}

const KEY = aKey();
const SIGNER = new GatewayTokenSigner(KEY.pem, { now: () => NOW });

function verify(token: string, expected: Partial<Parameters<typeof verifyGatewayToken>[1]> = {}) {
  return verifyGatewayToken(token, {
    publicKeys: [KEY.publicKey],
    agent: AGENT,
    now: NOW,
    ...expected,
  });
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** A token as somebody else would write it, with the key of the gateway. */
function written({
  header = { alg: "EdDSA", typ: "omnia-gateway+jwt" },
  claims = {},
}: {
  header?: unknown;
  claims?: Record<string, unknown>;
}): string {
  const iat = NOW / 1_000;
  const all = { aud: AGENT, sub: "ann", verbs: ["sessions:get"], iat, exp: iat + 60, ...claims };
  const signed = `${encode(header)}.${encode(all)}`;
  return `${signed}.${sign(undefined, Buffer.from(signed), KEY.privateKey).toString("base64url")}`;
}

describe("a gateway token", () => {
  it("says who asks and what for", () => {
    const token = SIGNER.sign({
      agent: AGENT,
      subject: "ann",
      verbs: ["sessions:get", "chat:create"],
    });
    expect(verify(token)).toEqual({
      ok: true,
      caller: {
        subject: "ann",
        subjectEndsAt: undefined,
        verbs: new Set(["chat:create", "sessions:get"]),
        publicKey: KEY.publicKey,
      },
    });
  });

  it("may be of somebody who did not say who it is", () => {
    const token = SIGNER.sign({ agent: AGENT, verbs: GATEWAY_VERBS });
    expect(verify(token)).toEqual({
      ok: true,
      caller: {
        subject: undefined,
        subjectEndsAt: undefined,
        verbs: new Set(GATEWAY_VERBS),
        publicKey: KEY.publicKey,
      },
    });
  });

  it("says when what the caller was let in with ends", () => {
    const subjectEndsAt = NOW + 5 * MINUTE + 250;
    const token = SIGNER.sign({ agent: AGENT, subject: "ann", subjectEndsAt, verbs: [] });
    expect(verify(token)).toMatchObject({ caller: { subjectEndsAt } });
  });

  it("is for one agent of one namespace", () => {
    const token = SIGNER.sign({ agent: AGENT, verbs: ["chat:create"] });
    for (const agent of ["team/other", "other/helper", "team/helper/", "helper", ""]) {
      expect(verify(token, { agent })).toEqual({ ok: false, problem: "for another agent" });
    }
  });

  it("is taken for a minute, give or take what clocks may differ", () => {
    const token = SIGNER.sign({ agent: AGENT, verbs: ["chat:create"] });
    expect(verify(token, { now: NOW + MINUTE + SKEW - 1 })).toMatchObject({ ok: true });
    expect(verify(token, { now: NOW + MINUTE + SKEW })).toEqual({ ok: false, problem: "expired" });
    expect(verify(token, { now: NOW - SKEW })).toMatchObject({ ok: true });
    expect(verify(token, { now: NOW - SKEW - 1 })).toEqual({
      ok: false,
      problem: "not valid yet",
    });
  });

  it("is not taken when it says that it lives longer, whoever signed it", () => {
    const iat = NOW / 1_000;
    expect(verify(written({ claims: { exp: iat + 61 } }))).toEqual({
      ok: false,
      problem: "valid for too long",
    });
    expect(verify(written({ claims: { iat: iat - 3_600, exp: iat + 60 } }))).toMatchObject({
      ok: false,
    });
  });

  it("is taken with either key while one follows the other, and with no other key", () => {
    const next = aKey();
    const token = new GatewayTokenSigner(next.pem, { now: () => NOW }).sign({
      agent: AGENT,
      verbs: ["chat:create"],
    });
    expect(verify(token)).toEqual({ ok: false, problem: "wrong signature" });
    const publicKeys = [KEY.publicKey, next.publicKey];
    const caller = { publicKey: next.publicKey };
    expect(verify(token, { publicKeys })).toMatchObject({ ok: true, caller });
    expect(verify(token, { publicKeys: [] })).toMatchObject({ ok: false });
  });

  it("is not taken with a key of another kind, or with a text that is no key", () => {
    const token = SIGNER.sign({ agent: AGENT, verbs: ["chat:create"] });
    const publicKeys = ["", "no key", aKey("ed448").publicKey];
    expect(verify(token, { publicKeys })).toEqual({ ok: false, problem: "wrong signature" });
    expect(verify(token, { publicKeys: [...publicKeys, KEY.publicKey] })).toMatchObject({
      ok: true,
    });
  });

  it.each<[string, unknown]>([
    ["no algorithm", { alg: "none", typ: "omnia-gateway+jwt" }],
    ["an algorithm of shared secrets", { alg: "HS256", typ: "omnia-gateway+jwt" }],
    ["another type", { alg: "EdDSA", typ: "JWT" }],
    ["a key of its own", { alg: "EdDSA", typ: "omnia-gateway+jwt", jwk: {} }],
    ["the same in another order", { typ: "omnia-gateway+jwt", alg: "EdDSA" }],
  ])("is not taken when its header names %s", (_says, header) => {
    expect(verify(written({ header }))).toEqual({ ok: false, problem: "malformed" });
  });

  it.each<[string, Record<string, unknown>]>([
    ["several audiences", { aud: [AGENT, "team/other"] }],
    ["no audience", { aud: undefined }],
    ["no end", { exp: undefined }],
    ["no beginning", { iat: undefined }],
    ["an end that is a text", { exp: "9999999999" }],
    ["a part of a second", { exp: NOW / 1_000 + 0.5 }],
    ["an empty subject", { sub: "" }],
    ["a subject without an end", { sub: "a".repeat(1_025) }],
    ["a subject that is a list", { sub: ["ann"] }],
    ["verbs that are one text", { verbs: "sessions:get" }],
    ["a claim that is not known", { scope: "all" }],
  ])("is not taken when it claims %s", (_says, claims) => {
    expect(verify(written({ claims }))).toEqual({ ok: false, problem: "malformed" });
  });

  it("allows nothing by a verb that is not known", () => {
    const verdict = verify(written({ claims: { verbs: ["*", "sessions", "sessions:get"] } }));
    expect(verdict).toMatchObject({ caller: { verbs: new Set(["sessions:get"]) } });
  });

  it("is not taken when any of its text was changed", () => {
    const token = SIGNER.sign({ agent: AGENT, subject: "ann", verbs: ["sessions:get"] });
    const [header = "", payload = "", signature = ""] = token.split(".");
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
    const other = encode({ ...claims, sub: "bob" });
    for (const changed of [
      `${header}.${other}.${signature}`,
      `${header}.${payload}.`,
      `${header}.${payload}`,
      `${header}.${payload}.${signature}.`,
      `${header}.${payload}.${signature}=`,
      ` ${token}`,
      `${token}\n`,
      token.slice(0, -2),
      "",
      "..",
      ".".repeat(9_000),
    ]) {
      expect(verify(changed)).toMatchObject({ ok: false });
    }
  });

  it("is signed with an Ed25519 key only", () => {
    expect(() => new GatewayTokenSigner(aKey("ed448").pem, { now: () => NOW })).toThrow(NO_KEY);
    expect(() => new GatewayTokenSigner("no key", { now: () => NOW })).toThrow(NO_KEY);
  });

  it("is not made for a subject that no agent would take", () => {
    expect(() => SIGNER.sign({ agent: AGENT, subject: "", verbs: [] })).toThrow("sub");
    const subject = "a".repeat(1_025);
    expect(() => SIGNER.sign({ agent: AGENT, subject, verbs: [] })).toThrow("sub");
  });
});
