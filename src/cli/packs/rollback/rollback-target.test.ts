import { describe, expect, it } from "vitest";
import { readResourceViews } from "../../resources/view.ts";
import { rollbackTarget } from "./rollback-target.ts";
import { chooseVersion } from "../versions/choose-version.ts";
import type { KeptPack } from "../versions/kept-pack.ts";

const version = (hash: string, semver: string) => ({ hash, semver, content: "", keptAt: 0 });

/** Newest first, as they were kept. */
const VERSIONS = [
  version("dddd00000004", "2.0.0"),
  version("cccc00000003", "1.1.0"),
  version("bbbb00000002", "1.0.0"),
  version("bbbb11111111", "1.0.0"),
];

function aKeptPack(status: object): KeptPack {
  const [resource] = readResourceViews([
    { kind: "PromptPack", metadata: { name: "support", namespace: "agents" }, status },
  ]);
  if (resource === undefined) throw new Error("it is no resource");
  return { resource, versions: VERSIONS, isRolledBack: false };
}

const active = aKeptPack({ activeVersion: "dddd00000004", previousVersion: "bbbb00000002" });
const canary = aKeptPack({ activeVersion: "cccc00000003", canaryVersion: "dddd00000004" });

describe("chooseVersion", () => {
  it.each([
    ["dddd", "dddd00000004"],
    ["DDDD00000004", "dddd00000004"],
    ["1.1.0", "cccc00000003"],
    ["v1.1.0", "cccc00000003"],
    ["active", "dddd00000004"],
    ["Previous", "bbbb00000002"],
  ])("takes %s", (text, hash) => {
    expect(chooseVersion(active, text).hash).toBe(hash);
  });

  it.each([
    ["1.0.0", '"1.0.0" may be 1.0.0 (bbbb00000002) or 1.0.0 (bbbb11111111)'],
    ["bbbb", '"bbbb" may be'],
    ["ddd", 'has no version "ddd"'],
    ["3.0.0", 'The prompt pack agents/support has no version "3.0.0"'],
    ["canary", "has no canary version"],
  ])("refuses %s", (text, message) => {
    expect(() => chooseVersion(active, text)).toThrow(message);
  });

  it("takes the newest that does not run for the previous one where nothing tells of it", () => {
    expect(chooseVersion(canary, "previous").hash).toBe("bbbb00000002");
    expect(chooseVersion(canary, "canary").hash).toBe("dddd00000004");
  });
});

describe("rollbackTarget", () => {
  it("is the version before, when the source holds the active one", () => {
    expect(rollbackTarget(active, undefined, "dddd00000004").hash).toBe("bbbb00000002");
  });

  it("is the active version, when the source holds a canary, an edit that is not seen yet, or nothing valid", () => {
    expect(rollbackTarget(canary, undefined, "dddd00000004").hash).toBe("cccc00000003");
    expect(rollbackTarget(active, undefined, "eeee00000005").hash).toBe("dddd00000004");
    expect(rollbackTarget(active, undefined, undefined).hash).toBe("dddd00000004");
  });

  it("is the one that is named", () => {
    expect(rollbackTarget(active, "1.1.0", "dddd00000004").hash).toBe("cccc00000003");
  });

  it("is none where no other version is kept", () => {
    const alone = { ...active, versions: VERSIONS.slice(0, 1) };
    expect(() => rollbackTarget(alone, undefined, "dddd00000004")).toThrow(
      "has no version to go back to",
    );
  });
});
