import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { nodeVersionProblem } from "./node-version.ts";

describe("the version of Node.js", () => {
  it.each(["24.12.0", "24.13.1", "25.0.0", "26.1.0-nightly"])("may be %s", (version) => {
    expect(nodeVersionProblem(version)).toBeUndefined();
  });

  it.each(["18.20.4", "20.19.0", "22.21.1", "24.11.9"])("is too old as %s", (version) => {
    expect(nodeVersionProblem(version)).toBe(
      `Node.js ${version} is too old: Omnia needs 24.12 or later. Get it at https://nodejs.org.`,
    );
  });

  it("is what package.json asks for", async () => {
    const text = await readFile(new URL("../../package.json", import.meta.url), "utf8");
    const { engines } = JSON.parse(text) as { engines: { node: string } };
    expect(nodeVersionProblem("0.0.0")).toContain(`needs ${engines.node.replace(">=", "")} or`);
  });
});
