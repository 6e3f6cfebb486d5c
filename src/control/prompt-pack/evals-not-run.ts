/** Which evals of a pack no agent runs, where its rollout asks for evals. */
import type { PromptPack } from "../../api/prompt-pack.ts";
import { liveEvals } from "../../evals/run/live-evals.ts";
import type { PartNotRun } from "../../promptpack/check/parts-not-run.ts";
import type { PromptPackDocument } from "../../promptpack/document/prompt-pack-document.ts";

type NamedPart = Pick<PartNotRun, "name" | "prompt">;

/** In place of all evals of the pack, those stay in the list that agents do not run. */
export function withEvalsNotRun(
  parts: readonly NamedPart[],
  pack: PromptPackDocument,
  evals: PromptPack["spec"]["rollout"]["evals"],
): NamedPart[] {
  if (evals === undefined) return [...parts];
  const isOfEvals = ({ name }: NamedPart): boolean => name === "evals" || name.endsWith(".evals");
  const own = Object.keys(pack.prompts).flatMap((prompt) =>
    liveEvals(pack, { prompt, groups: evals.groups ?? [] }).notRun.map(({ id }) => id),
  );
  const ids = [...new Set(own)].map((id) => ({ name: `eval ${id}`, prompt: undefined }));
  return [...parts.filter((part) => !isOfEvals(part)), ...ids];
}
