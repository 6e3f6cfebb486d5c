import { describe, expect, it } from "vitest";
import { findDuplicates } from "./find-duplicates.ts";
import { parseManifests } from "./manifest.ts";

const ECHO = `apiVersion: omnia.altairalabs.ai/v1alpha1
kind: AgentRuntime
metadata:
  name: support
spec: {facade: {handler: echo}}
`;

describe("findDuplicates", () => {
  it("names both places of two resources with one kind, namespace and name", () => {
    const first = parseManifests(`${ECHO}---\n${ECHO.replace("support", "other")}`, "a.yaml");
    const second = parseManifests(`# again\n${ECHO}`, "b.yaml");
    expect(findDuplicates([...first.resources, ...second.resources])).toEqual([
      {
        file: "b.yaml",
        line: 5,
        column: 9,
        severity: "error",
        message:
          'metadata.name: namespace "default" has another AgentRuntime "support" at a.yaml:4; rename or remove one',
      },
    ]);
  });

  it("lets other kinds and namespaces have the name", () => {
    const elsewhere = ECHO.replace("name: support", "name: support\n  namespace: eu");
    const pack = `apiVersion: omnia.altairalabs.ai/v1alpha1\nkind: PromptPack\nmetadata: {name: support}\nspec: {source: {configMapRef: {name: a}}}\n`;
    const { resources, problems } = parseManifests([ECHO, elsewhere, pack].join("---\n"), "a.yaml");
    expect(problems).toEqual([]);
    expect(findDuplicates(resources)).toEqual([]);
  });
});
