/**
 * Turns templates into text. A value is inserted as it is: nothing is escaped, and braces in it are plain text, so that a value
 * cannot reach other variables or fragments.
 */
import { parseTemplate, type Placeholder } from "./template.ts";

/** The most bytes of a rendered text, written as JSON. An active prompt and its canary must fit into the ConfigMap of an agent. */
export const MAX_RENDERED_BYTES = 256 * 1024;
/** What a character takes at most when it is written as JSON: \\u001b. The two quotes around a text are not counted. */
const MAX_BYTES_PER_CHARACTER = 6;
/** How deep fragments may stand inside of fragments. */
export const MAX_FRAGMENT_DEPTH = 32;

export interface TemplateScope {
  /** The variables that are declared or given. An optional one without a value is `undefined`. Variables win over fragments. */
  readonly variables: ReadonlyMap<string, unknown>;
  readonly fragments: Readonly<Record<string, string>>;
}

export class TemplateError extends Error {
  override readonly name = "TemplateError";
}

const FRAGMENTS = "fragments.";

/** The fragment that a placeholder means, unless there is a variable of that name. */
export function fragmentNameOf(placeholder: Placeholder): string | undefined {
  if (placeholder.written.startsWith(FRAGMENTS)) return placeholder.written.slice(FRAGMENTS.length);
  return placeholder.path.length === 0 ? placeholder.name : undefined;
}

/**
 * Renders the templates one after the other into one text. A placeholder cannot reach from one template into the next. Throws a
 * TemplateError when the text grows past the limit. The pack must already be checked for everything else.
 */
export function renderTemplates(
  templates: readonly string[],
  { variables, fragments }: TemplateScope,
): string {
  // Each fragment is rendered once, however often it is used.
  const rendered = new Map<string, string>();
  const text = templates.map((template) => render(template, 0)).join("");
  const mayBeTooLong = text.length * MAX_BYTES_PER_CHARACTER > MAX_RENDERED_BYTES;
  if (mayBeTooLong && Buffer.byteLength(JSON.stringify(text)) > MAX_RENDERED_BYTES) throw tooLong();
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

/** Returns `undefined` when there is nothing at the path. */
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
