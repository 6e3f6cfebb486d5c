/**
 * Templates → text. A value is put in as it is: nothing is escaped, and braces in it are text, so that who gives a value
 * cannot reach other variables or fragments.
 */
import { parseTemplate, type Placeholder } from "./template.ts";

/** Bytes of a rendered text, as JSON: an active prompt and its canary fit into the ConfigMap of an agent config. */
export const MAX_RENDERED_BYTES = 256 * 1024;
/** Fragments in fragments. */
export const MAX_FRAGMENT_DEPTH = 32;

export interface TemplateScope {
  /** Declared and given ones; `undefined` is an optional one without a value. They win over fragments. */
  readonly variables: ReadonlyMap<string, unknown>;
  readonly fragments: Readonly<Record<string, string>>;
}

export class TemplateError extends Error {
  override readonly name = "TemplateError";
}

const FRAGMENTS = "fragments.";

/** The fragment that a placeholder means, unless a variable of its name is there. */
export function fragmentNameOf(placeholder: Placeholder): string | undefined {
  if (placeholder.written.startsWith(FRAGMENTS)) return placeholder.written.slice(FRAGMENTS.length);
  return placeholder.path.length === 0 ? placeholder.name : undefined;
}

/**
 * One after the other, as one text; a placeholder does not reach from one into the next. Throws a TemplateError when the
 * text grows past the limit; the pack was checked for everything else.
 */
export function renderTemplates(
  templates: readonly string[],
  { variables, fragments }: TemplateScope,
): string {
  // Each fragment is rendered once, however often fragments hold each other.
  const rendered = new Map<string, string>();
  const text = templates.map((template) => render(template, 0)).join("");
  if (Buffer.byteLength(JSON.stringify(text)) > MAX_RENDERED_BYTES) throw tooLong();
  return text;

  function render(text: string, depth: number): string {
    if (depth > MAX_FRAGMENT_DEPTH) throw new TemplateError("fragments hold each other too deeply");
    let result = "";
    for (const part of parseTemplate(text).parts) {
      const text = part.type === "text" ? part.text : renderPlaceholder(part, depth);
      result += text;
      if (result.length > MAX_RENDERED_BYTES) throw tooLong();
    }
    return result;
  }

  function renderPlaceholder(placeholder: Placeholder, depth: number): string {
    const { name, path, written } = placeholder;
    if (variables.has(written)) return valueText(variables.get(written));
    if (variables.has(name)) return valueText(valueAt(variables.get(name), path));
    const fragment = fragmentNameOf(placeholder) ?? written;
    const text = rendered.get(fragment) ?? render(fragmentText(fragment), depth + 1);
    rendered.set(fragment, text);
    return text;
  }

  function fragmentText(fragment: string): string {
    return Object.hasOwn(fragments, fragment) ? (fragments[fragment] ?? "") : "";
  }
}

function tooLong(): TemplateError {
  return new TemplateError(
    `the rendered text is larger than ${MAX_RENDERED_BYTES / 1024} KiB; shorten the template or its values`,
  );
}

/** `undefined` when there is nothing at the path. */
export function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Record<string | number, unknown>)[key];
  }
  return found;
}

function valueText(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
