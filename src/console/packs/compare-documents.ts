/** Two versions of a pack, by what people know of a pack: its prompts first. */
import { jsonText } from "../difference/json-text.ts";

export interface ComparedPart {
  readonly name: string;
  readonly kind: "changed" | "added" | "removed" | "same";
  readonly left: string;
  readonly right: string;
}

type Document = Readonly<Record<string, unknown>>;

/** What changed comes first, and prompts before the rest of the pack. */
export function compareDocuments(left: Document, right: Document): ComparedPart[] {
  const { prompts: leftPrompts, ...leftRest } = left;
  const { prompts: rightPrompts, ...rightRest } = right;
  const before = promptsOf(leftPrompts);
  const after = promptsOf(rightPrompts);
  const names = [...new Set([...before.keys(), ...after.keys()])].toSorted();
  const parts = names.map((name) =>
    compared(`Prompt ${name}`, before.get(name) ?? "", after.get(name) ?? ""),
  );
  const rest = compared("The rest of the pack", jsonText(leftRest), jsonText(rightRest));
  return [...parts, rest].toSorted((a, b) => Number(a.kind === "same") - Number(b.kind === "same"));
}

function compared(name: string, left: string, right: string): ComparedPart {
  const kind =
    left === right ? "same" : left === "" ? "added" : right === "" ? "removed" : "changed";
  return { name, kind, left, right };
}

function promptsOf(prompts: unknown): Map<string, string> {
  const found = new Map<string, string>();
  if (prompts === null || typeof prompts !== "object") return found;
  for (const [id, prompt] of Object.entries(prompts as Record<string, unknown>))
    found.set(id, promptText(prompt));
  return found;
}

/** The text that the model gets, and below it what else is set. */
function promptText(prompt: unknown): string {
  if (prompt === null || typeof prompt !== "object") return jsonText(prompt);
  const { system_template: template, ...rest } = prompt as Record<string, unknown>;
  return typeof template === "string" ? `${template}\n\n${jsonText(rest)}` : jsonText(prompt);
}
