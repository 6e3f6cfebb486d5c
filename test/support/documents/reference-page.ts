/** The YAML blocks of the reference page of the AgentRuntime, as its readers copy them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";

export interface ReferenceBlock {
  readonly name: string;
  /** A whole manifest: a block that is a fragment is completed with what else is required. */
  readonly manifest: string;
}

const FOLDER = join(import.meta.dirname, "reference-blocks");

const REST_OF_SPEC = {
  provider: {
    name: "openai",
    model: "gpt-4",
    apiKeySecretRef: { name: "llm-credentials", key: "api-key" },
  },
  promptPackRef: { name: "my-prompts" },
};

export const REFERENCE_BLOCKS: readonly ReferenceBlock[] = readdirSync(FOLDER)
  .toSorted()
  .map((file) => {
    const text = readFileSync(join(FOLDER, file), "utf8");
    return { name: file.replace(/^\d+-|\.yaml$/g, ""), manifest: complete(text) };
  });

/** The block's own lines stay as they are. */
function complete(block: string): string {
  const given = parse(block) as { kind?: string; spec?: { facade?: { handler?: string } } };
  let manifest = block;
  if (given.kind === undefined) {
    manifest = `apiVersion: omnia.altairalabs.ai/v1alpha1\nkind: AgentRuntime\n${manifest}`;
  }
  if (!/^metadata:/m.test(manifest)) manifest += "metadata: {name: agent}\n";
  if (given.spec === undefined) return `${manifest}${stringify({ spec: REST_OF_SPEC })}`;
  const handler = given.spec.facade?.handler ?? "runtime";
  const missing = Object.entries(REST_OF_SPEC).filter(
    ([field]) => handler === "runtime" && !Object.hasOwn(given.spec ?? {}, field),
  );
  const lines = missing.map(([field, value]) => `  ${field}: ${JSON.stringify(value)}\n`);
  return manifest.replace(/^spec:\n/m, `spec:\n${lines.join("")}`);
}
