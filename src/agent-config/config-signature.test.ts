import { describe, expect, it } from "vitest";
import { aConfigSigner } from "../../test/support/builders/a-config-signer.ts";
import { decided } from "../../test/support/builders/a-decision.ts";
import { type AgentConfig, agentConfigSchema } from "./agent-config.ts";
import { isSignedBy, readPublicKey } from "./config-signature.ts";

const SIGNER = aConfigSigner();
const KEY = readPublicKey(SIGNER.publicKey);
const FACTS = { uid: "uid", secretFiles: [{ path: "secrets/a/b", secretName: "a", key: "b" }] };

function aSignedConfig(): AgentConfig {
  const { config } = decided();
  if (config === undefined) throw new Error("there is no config");
  return SIGNER.sign(config, FACTS);
}

describe("the signature of an agent config", () => {
  it("holds through the file that the config is written to", () => {
    const read = agentConfigSchema.parse(JSON.parse(JSON.stringify(aSignedConfig(), null, 2)));
    expect(isSignedBy(read, KEY)).toBe(true);
    expect(SIGNER.hasSigned(read, FACTS)).toBe(true);
  });

  it("is the same each time, so that nothing is written again", () => {
    expect(aSignedConfig()).toEqual(aSignedConfig());
    expect(SIGNER.sign(aSignedConfig(), FACTS)).toEqual(aSignedConfig());
  });

  it.each<[string, Partial<AgentConfig>]>([
    ["no signature", { signature: undefined }],
    ["another handler", { handler: "echo" }],
    ["another time to live", { session: { type: "memory", ttlMs: 1 } }],
    ["authentication turned off", { facade: { port: 8080, allowedOrigins: ["*"] } }],
    ["a signature that is none", { signature: { uid: "uid", secretFiles: "", value: "?" } }],
  ])("does not hold for a config with %s", (_says, changes) => {
    expect(isSignedBy({ ...aSignedConfig(), ...changes }, KEY)).toBe(false);
  });

  it("is for one owner and its secret files", () => {
    expect(SIGNER.hasSigned(aSignedConfig(), { ...FACTS, uid: "other" })).toBe(false);
    expect(SIGNER.hasSigned(aSignedConfig(), { ...FACTS, secretFiles: [] })).toBe(false);
    const renamed = structuredClone(aSignedConfig());
    if (renamed.signature !== undefined) renamed.signature.uid = "other";
    expect(isSignedBy(renamed, KEY)).toBe(false);
  });

  it("is of one key", () => {
    expect(isSignedBy(aSignedConfig(), readPublicKey(aConfigSigner().publicKey))).toBe(false);
  });
});
