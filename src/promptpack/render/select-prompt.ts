import type { PromptPackDocument } from "../document/prompt-pack-document.ts";
import type { PackPrompt } from "../document/prompts.ts";

const DEFAULT_PROMPT = "default";

export type SelectedPrompt =
  | { ok: true; name: string; prompt: PackPrompt }
  | { ok: false; message: string };

/** Finds the named prompt. Without a name it takes that of the workflow's first state, the entry of the agents, the only one, or the one called `default`. */
export function selectPrompt(
  { id, prompts, workflow, agents }: PromptPackDocument,
  name?: string,
): SelectedPrompt {
  const names = Object.keys(prompts);
  const first = workflow?.states[workflow.entry]?.prompt_task ?? agents?.entry;
  const wanted =
    name ?? first ?? (names.length === 1 ? names[0] : DEFAULT_PROMPT) ?? DEFAULT_PROMPT;
  // A prompt has two names: its key in the pack, and its own id.
  const key = names.includes(wanted)
    ? wanted
    : names.find((other) => prompts[other]?.id === wanted);
  const prompt = key === undefined ? undefined : prompts[key];
  if (key !== undefined && prompt !== undefined) return { ok: true, name: key, prompt };
  const list = names.map((other) => `"${other}"`).join(", ");
  return {
    ok: false,
    message:
      name === undefined
        ? `the pack "${id}" has more than one prompt and none called "${DEFAULT_PROMPT}"; name one of ${list}`
        : `the pack "${id}" has no prompt "${name}"; it has ${list}`,
  };
}
