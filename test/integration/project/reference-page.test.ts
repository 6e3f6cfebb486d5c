import { describe, expect, it } from "vitest";
import { parseManifests } from "../../../src/api/manifest/manifest.ts";
import { REFERENCE_BLOCKS } from "../../support/documents/reference-page.ts";

describe("the reference page", () => {
  it("has the blocks that users copy", () => {
    expect(REFERENCE_BLOCKS.map(({ name }) => name)).toEqual([
      "api-version",
      "replicas",
      "provider",
      "prompt-pack-ref",
      "tool-registry-ref",
      "facade",
      "demo-handler",
      "session",
      "resources",
      "env",
      "complete-example",
    ]);
  });

  it.each(REFERENCE_BLOCKS)("$name is taken as it is", ({ manifest }) => {
    const { resources, problems } = parseManifests(manifest, "page.yaml");
    expect(problems).toEqual([]);
    expect(resources).toHaveLength(1);
  });

  it("shows defaults that are the real ones", () => {
    const [block] = REFERENCE_BLOCKS.filter(({ name }) => name === "api-version");
    const [resource] = parseManifests(block?.manifest ?? "", "page.yaml").resources;
    expect(resource?.value).toMatchObject({
      spec: {
        replicas: 1,
        facade: { type: "websocket", port: 8080, handler: "runtime" },
        session: { type: "memory", ttl: "1h" },
      },
    });
  });
});
