import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { gatewayPublicKey } from "../../agent-config/gateway-token.ts";
import { publicKeysOf } from "./gateway-keys.ts";

const NO_KEY = "the key is no Ed25519 key";

function aPrivateKey(): string {
  return generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" });
}

describe("the keys of gateways", () => {
  it("are all entries that end in .pem, the one that signs first", () => {
    const [key, next, before] = [aPrivateKey(), aPrivateKey(), aPrivateKey()];
    const entries = new Map([
      ["before.pem", before],
      ["key.pem", key],
      ["next.pem", next],
      ["notes", "made by hand"],
    ]);
    expect(publicKeysOf(entries)).toEqual([key, before, next].map(gatewayPublicKey));
  });

  it("are not taken where one of them is none, where there are none, and where there are too many", () => {
    expect(() => publicKeysOf(new Map())).toThrow(NO_KEY);
    expect(() => publicKeysOf(new Map([["next.pem", aPrivateKey()]]))).toThrow(NO_KEY);
    const broken = new Map([
      ["key.pem", aPrivateKey()],
      ["next.pem", "no key"],
    ]);
    expect(() => publicKeysOf(broken)).toThrow(NO_KEY);
    const many = ["key", "a", "b", "c", "d"].map((name) => [`${name}.pem`, aPrivateKey()] as const);
    expect(() => publicKeysOf(new Map(many))).toThrow("over 4 keys");
  });
});
