import type { PromptPackDocument } from "../../promptpack/document/prompt-pack-document.ts";
import type { PromptRequest } from "../../promptpack/render/prompt-request.ts";
import { type PromptResolution, resolvePrompt } from "../../promptpack/render/resolve-prompt.ts";
import { BoundedMemory } from "../bounded-memory.ts";

/** So many answers of one version are kept. */
const MAX_ANSWERS = 32;

/** The answers of a version to requests, as long as somebody holds the version. */
const known = new WeakMap<PromptPackDocument, BoundedMemory<PromptResolution>>();

/**
 * As `resolvePrompt`, with the same object as the answer to the same request, since thousands of agents may ask the same of one version.
 * An answer that has the name or the namespace of the agent in it is that agent's alone, and is not kept.
 */
export function resolveOnce(pack: PromptPackDocument, request: PromptRequest): PromptResolution {
  const { prompt, variables, model, agent } = request;
  const answers = known.get(pack) ?? new BoundedMemory<PromptResolution>(MAX_ANSWERS);
  known.set(pack, answers);
  const key = JSON.stringify([prompt, variables, model]);
  const before = answers.get(key);
  if (before !== undefined) return before;
  let isOfAgent = false;
  const resolution = resolvePrompt(pack, {
    ...request,
    agent: {
      get name() {
        isOfAgent = true;
        return agent.name;
      },
      get namespace() {
        isOfAgent = true;
        return agent.namespace;
      },
    },
  });
  if (!isOfAgent) answers.set(key, resolution);
  return resolution;
}
