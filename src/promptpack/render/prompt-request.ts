/** What an agent asks of a pack. */
export interface PromptRequest {
  /** The name of the prompt. `selectPrompt` says what happens without one. */
  prompt?: string | undefined;
  variables?: Readonly<Record<string, string>> | undefined;
  /** The model, for which the pack may have overrides. Undefined where nobody knows it. */
  model: string | undefined;
  /** The agent that runs the prompt, for variables that are bound to it. */
  agent: { readonly name: string; readonly namespace: string };
}

export type PromptFailure = {
  ok: false;
  reason: "PromptNotFound" | "VariablesMissing" | "Invalid";
  message: string;
};
