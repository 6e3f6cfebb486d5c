/**
 * Text with places that a turn fills. The places are marked by characters that stand nowhere else in the text, so that nothing that
 * is rendered into it can be taken for a place.
 */
import { type BindingSource, filtered, type TurnBinding } from "../document/binding.ts";
import type { PackVariable } from "../document/variables.ts";

/** A place in a text. */
export interface TextBinding {
  readonly marker: string;
  readonly source: TurnBinding;
  readonly filter?: string | undefined;
  /** Stands there when a turn has no such value. */
  readonly fallback: string;
}

/** Nobody's letter: the first character of a plane that Unicode leaves to private use. */
const MARK = "\u{F0000}";
/** Characters of a value. Some of them are text of others, which must not grow into a prompt of its own. */
export const MAX_BOUND_CHARACTERS = 256;

export class BoundText {
  readonly #mark: string;
  readonly #bindings: TextBinding[] = [];

  /** `texts`: whatever is rendered into the text. */
  constructor(texts: unknown) {
    const written = JSON.stringify(texts);
    let mark = MARK;
    while (written.includes(mark)) mark += MARK;
    this.#mark = mark;
  }

  get bindings(): readonly TextBinding[] {
    return this.#bindings;
  }

  /** The value of a bound variable, or the marker of its place. */
  valueOf(
    source: BindingSource,
    variable: PackVariable,
    agent: { readonly name: string; readonly namespace: string },
  ): string {
    const filter = variable.binding?.filter;
    if (source === "agent") return filtered(agent.name, filter);
    if (source === "namespace") return filtered(agent.namespace, filter);
    const marker = `${this.#mark}${this.#bindings.length}${this.#mark}`;
    const fallback = typeof variable.default === "string" ? variable.default : "";
    this.#bindings.push({ marker, source, filter, fallback });
    return marker;
  }
}

/** Puts the values of a turn in their places. A value is one line, and nothing in it is taken for another place. */
export function fillBoundText(
  text: string,
  bindings: readonly TextBinding[],
  values: Readonly<Record<TurnBinding, string | undefined>>,
): string {
  if (bindings.length === 0) return text;
  const byMarker = new Map(bindings.map((binding) => [binding.marker, binding]));
  const markers = new RegExp(`(${bindings.map(({ marker }) => marker).join("|")})`, "u");
  return text
    .split(markers)
    .map((part) => {
      const binding = byMarker.get(part);
      if (binding === undefined) return part;
      const value = values[binding.source];
      return value === undefined ? binding.fallback : filtered(oneLine(value), binding.filter);
    })
    .join("");
}

function oneLine(value: string): string {
  const line = value.replaceAll(/[\p{Cc}\p{Cf}\p{Z}]+/gu, " ").trim();
  return Array.from(line).slice(0, MAX_BOUND_CHARACTERS).join("");
}
