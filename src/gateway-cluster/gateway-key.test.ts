import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { ManualClock } from "../../test/support/builders/manual-clock.ts";
import { gatewayPublicKey, verifyGatewayToken } from "../agent-config/gateway-token.ts";
import { GatewayKey } from "./gateway-key.ts";

function aPrivateKey(): string {
  return generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" });
}

async function setUp() {
  const folder = await mkdtemp(join(tmpdir(), "gateway-key-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "key.pem");
  const clock = new ManualClock();
  const key = new GatewayKey(file, clock);
  const isBelieved = async (privateKey: string): Promise<boolean> => {
    const agent = "team/bot";
    const token = await key.sign({ agent, subject: "anna", verbs: ["chat:create"] });
    const publicKeys = [gatewayPublicKey(privateKey)];
    return verifyGatewayToken(token, { publicKeys, agent, now: clock.now() }).ok;
  };
  return { file, clock, key, isBelieved };
}

describe("the key of a gateway", () => {
  it("signs, and another one does when the file was replaced", async () => {
    const { file, clock, isBelieved } = await setUp();
    const [first, second] = [aPrivateKey(), aPrivateKey()];
    await writeFile(file, first);
    expect(await isBelieved(first)).toBe(true);
    await writeFile(file, second);
    await clock.advance(10_000);
    expect(await isBelieved(second)).toBe(true);
  });

  it("signs on while its file is missing", async () => {
    const { file, clock, isBelieved } = await setUp();
    const only = aPrivateKey();
    await writeFile(file, only);
    expect(await isBelieved(only)).toBe(true);
    await rm(file);
    await clock.advance(10_000);
    expect(await isBelieved(only)).toBe(true);
  });

  it("is missed as long as there is none, and found once it is there", async () => {
    const { file, key, isBelieved } = await setUp();
    await expect(key.check()).rejects.toThrow("ENOENT");
    const late = aPrivateKey();
    await writeFile(file, "no key");
    await expect(key.check()).rejects.toThrow("the key is no Ed25519 key");
    await writeFile(file, late);
    expect(await isBelieved(late)).toBe(true);
  });
});
