/** Reads params of evals, in the spellings that packs have for them. What does not fit is `undefined`. */
import type { Params } from "./judge.ts";

const MAX_TEXTS = 1_000;
const MAX_TEXT_CHARACTERS = 4_096;

export function firstOf(params: Params, ...names: readonly string[]): unknown {
  const name = names.find((each) => Object.hasOwn(params, each));
  return name === undefined ? undefined : params[name];
}

/** Texts that hold something, at least one: a list of them, or one alone. */
export function textsIn(params: Params, ...names: readonly string[]): string[] | undefined {
  const written = firstOf(params, ...names);
  const texts: unknown[] = Array.isArray(written) ? written : [written];
  if (texts.length === 0 || texts.length > MAX_TEXTS) return undefined;
  return texts.every(isText) ? texts : undefined;
}

export function textIn(params: Params, ...names: readonly string[]): string | undefined {
  const written = firstOf(params, ...names);
  return isText(written) ? written : undefined;
}

export function numberIn(params: Params, ...names: readonly string[]): number | undefined {
  const written = firstOf(params, ...names);
  return typeof written === "number" && Number.isFinite(written) ? written : undefined;
}

export function objectIn(
  params: Params,
  ...names: readonly string[]
): Record<string, unknown> | undefined {
  const written = firstOf(params, ...names);
  return typeof written === "object" && written !== null && !Array.isArray(written)
    ? (written as Record<string, unknown>)
    : undefined;
}

export function isSet(params: Params, name: string): boolean {
  return params[name] === true;
}

/** Whether a number of `params` cannot be read, so that a limit would be passed over. */
export function hasUnreadNumber(params: Params, ...names: readonly string[]): boolean {
  return names.some((name) => Object.hasOwn(params, name) && numberIn(params, name) === undefined);
}

function isText(written: unknown): written is string {
  return typeof written === "string" && written !== "" && written.length <= MAX_TEXT_CHARACTERS;
}
