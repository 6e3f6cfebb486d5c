import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { aConfigSigner } from "../../../test/support/builders/a-config-signer.ts";
import { readPublicKey } from "../../agent-config/config-signature.ts";
import { anAgentConfig } from "../../../test/support/builders/agent-config.ts";
import { ConfigFile } from "./config-file.ts";
import { folderForEachTest, forEachTest } from "../../../test/support/builders/fixtures.ts";

const config = anAgentConfig();
const folder = folderForEachTest();
const path = forEachTest(() => join(folder(), "agent.json"));

describe("ConfigFile", () => {
  it("tells what is new since the reading before", async () => {
    const file = new ConfigFile(path());
    expect(await file.read()).toEqual({ status: "unusable", problem: `${path()} does not exist` });
    await writeFile(path(), JSON.stringify(config));
    expect(await file.read()).toEqual({ status: "read", config });
    expect(await file.read()).toEqual({ status: "unchanged" });
    await rm(path());
    expect(await file.read()).toMatchObject({ status: "unusable" });
    await writeFile(path(), JSON.stringify(config));
    expect(await file.read()).toEqual({ status: "unchanged" });
    await writeFile(path(), JSON.stringify({ ...config, handler: "demo" }));
    expect(await file.read()).toMatchObject({ status: "read", config: { handler: "demo" } });
  });

  it.each([
    ["{", "is not valid JSON"],
    ["[]", "is not an agent config: config: Invalid input: expected object, received array"],
    [
      JSON.stringify({ ...config, version: 2 }),
      "is not an agent config: version: Invalid input: expected 1",
    ],
    [
      JSON.stringify({ ...config, facade: { port: "s3cret" } }),
      "is not an agent config: facade.port: ",
    ],
  ])("says what is wrong with %s, again and again, without its values", async (text, problem) => {
    const file = new ConfigFile(path());
    await writeFile(path(), text);
    const reading = await file.read();
    expect(reading).toEqual({ status: "unusable", problem: expect.stringContaining(problem) });
    expect(JSON.stringify(reading)).not.toContain("s3cret");
    expect(await file.read()).toEqual(reading);
  });

  it("takes no config that the operator's key did not sign, where it has that key", async () => {
    const signer = aConfigSigner();
    const file = new ConfigFile(path(), readPublicKey(signer.publicKey));
    const signed = signer.sign(config, { uid: "uid", secretFiles: [] });
    await writeFile(path(), JSON.stringify(signed));
    expect(await file.read()).toEqual({ status: "read", config: signed });
    for (const forged of [config, { ...signed, handler: "demo" }]) {
      await writeFile(path(), JSON.stringify(forged));
      expect(await file.read()).toEqual({
        status: "unusable",
        problem: `${path()} was not written by the operator: its signature is wrong`,
      });
    }
  });
});
