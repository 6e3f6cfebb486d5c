import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { PromptPackStatus } from "../../api/prompt-pack.ts";
import { parsePromptPack } from "../../promptpack/check/parse-prompt-pack.ts";
import type { WrittenVersion } from "../../control/prompt-pack/pack-version.ts";
import { PackArchive } from "./pack-archive.ts";
import { folderForEachTest, forEachTest } from "../../../test/support/builders/fixtures.ts";

const folder = folderForEachTest();
const archive = forEachTest(() => new PackArchive(folder()));

const pack = { namespace: "agents", name: "support" };
const status: PromptPackStatus = {
  phase: "Canary",
  activeVersion: "0123456789ab",
  canaryWeight: 10,
};

function version(semver: string): WrittenVersion {
  const content = JSON.stringify({
    id: "support",
    name: "Support",
    version: semver,
    template_engine: { version: "v1", syntax: "{{variable}}" },
    prompts: {
      main: {
        id: "main",
        name: "Main",
        version: "1.0.0",
        system_template: `Be version ${semver}.`,
      },
    },
  });
  const parsed = parsePromptPack(content);
  if (!parsed.ok) throw new Error(parsed.message);
  return { hash: parsed.hash, semver, document: parsed.pack, content };
}

describe("PackArchive", () => {
  it("versions and status come back in their order", async () => {
    const versions = [version("2.0.0"), version("1.0.0")];
    await archive().save(pack, { versions, status });
    expect(await new PackArchive(folder()).load(pack)).toEqual({ versions, status });
  });

  it("a version that is no longer kept leaves the disk", async () => {
    const [two, one] = [version("2.0.0"), version("1.0.0")];
    await archive().save(pack, { versions: [two, one], status });
    await archive().save(pack, { versions: [two], status });
    expect((await readdir(join(folder(), "agents", "support"))).toSorted()).toEqual(
      [two.hash, "versions.json"].toSorted(),
    );
  });

  it("what cannot be read counts as never kept", async () => {
    expect(await archive().load(pack)).toEqual({ versions: [], status: undefined });
    const [two, one] = [version("2.0.0"), version("1.0.0")];
    await archive().save(pack, { versions: [two, one], status });
    await writeFile(join(folder(), "agents", "support", two.hash), version("3.0.0").content);
    expect((await archive().load(pack)).versions).toEqual([one]);
    await writeFile(join(folder(), "agents", "support", "versions.json"), "{");
    expect(await archive().load(pack)).toEqual({ versions: [], status: undefined });
  });

  it("a pack that is removed leaves nothing", async () => {
    await archive().save(pack, { versions: [version("1.0.0")], status });
    await archive().remove(pack);
    expect(await readdir(join(folder(), "agents"))).toEqual([]);
  });
});
