/** Builds packs for tests: complete, with one prompt `support` unless told otherwise. */
import { parsePromptPack } from "../../../src/promptpack/check/parse-prompt-pack.ts";
import type { PromptPackDocument } from "../../../src/promptpack/document/prompt-pack-document.ts";

type Fields = Record<string, unknown>;

export function aPrompt(fields: Fields = {}): Fields {
  return {
    id: "support",
    name: "Support",
    version: "1.0.0",
    system_template: "You help customers.",
    ...fields,
  };
}

export function aPack(fields: Fields = {}): Fields {
  return {
    id: "customer-service",
    name: "Customer service",
    version: "1.2.0",
    template_engine: { version: "v1", syntax: "{{variable}}" },
    prompts: { support: aPrompt() },
    ...fields,
  };
}

export function aPackText(fields: Fields = {}): string {
  return JSON.stringify(aPack(fields));
}

export function aParsedPack(fields: Fields = {}): PromptPackDocument {
  const parsed = parsePromptPack(aPackText(fields));
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.pack;
}
