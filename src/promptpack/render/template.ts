/**
 * Templates: text with placeholders, `{{name}}`. A name is a variable or a fragment; `{{fragments.name}}` is always a
 * fragment; `{{user.emails[0]}}` is a part of a variable. There is nothing else: no conditions, loops or filters.
 */

export type TemplatePart =
  | { type: "text"; text: string }
  | {
      type: "placeholder";
      /** The text between the braces. */
      written: string;
      /** In `user.emails[0]` this is `user`. */
      name: string;
      /** In `user.emails[0]` these are `emails` and 0. */
      path: readonly (string | number)[];
    };

export type Placeholder = Extract<TemplatePart, { type: "placeholder" }>;

export interface ParsedTemplate {
  parts: TemplatePart[];
  /** Each says what is wrong and quotes the place. A template with problems must not be rendered. */
  problems: string[];
}

const OPEN = "{{";
const CLOSE = "}}";
const PLACEHOLDER = /^([A-Za-z_][\w-]*)((?:\.[\w-]+|\[\d+\])*)$/;
const QUOTE_LENGTH = 40;
/** How others write a fragment: `{{fragment:name}}`, `{{fragments: name}}`, `{{fragment "name"}}`, `{{> name}}`. */
const FOREIGN_FRAGMENT = /^\{\{\s*(?:fragments?\s*[:\s]|>)\s*["']?([A-Za-z_][\w-]*)["']?\s*\}\}$/i;

export function parseTemplate(template: string): ParsedTemplate {
  const parts: TemplatePart[] = [];
  const problems: string[] = [];
  // Most placeholders stand in a template more than once.
  const known = new Map<string, Placeholder>();
  let end = 0;
  for (;;) {
    const open = template.indexOf(OPEN, end);
    if (open < 0) break;
    const close = template.indexOf(CLOSE, open + OPEN.length);
    const inner = close < 0 ? OPEN : template.slice(open + OPEN.length, close);
    if (inner.includes(OPEN)) {
      problems.push(`"${quote(template.slice(open))}" has no closing }}`);
      if (close < 0) return { parts, problems };
    } else {
      if (open > end) parts.push({ type: "text", text: template.slice(end, open) });
      const written = inner.trim();
      const placeholder = known.get(written) ?? parsePlaceholder(written);
      if (placeholder === undefined) problems.push(badPlaceholder(template.slice(open, close + 2)));
      else {
        known.set(written, placeholder);
        parts.push(placeholder);
      }
    }
    end = close + CLOSE.length;
  }
  if (end < template.length) parts.push({ type: "text", text: template.slice(end) });
  return { parts, problems };
}

function parsePlaceholder(written: string): Placeholder | undefined {
  const [, name, steps = ""] = PLACEHOLDER.exec(written) ?? [];
  if (name === undefined) return undefined;
  if (steps === "") return { type: "placeholder", written, name, path: [] };
  const path = [...steps.matchAll(/\.([\w-]+)|\[(\d+)\]/g)].map(([, field, index]) =>
    field === undefined ? Number(index) : field,
  );
  return { type: "placeholder", written, name, path };
}

function badPlaceholder(text: string): string {
  const quoted = `"${quote(text)}"`;
  if (/^\{\{\s*\}/.test(text)) return `${quoted} names nothing`;
  const [, fragment] = FOREIGN_FRAGMENT.exec(text) ?? [];
  if (fragment !== undefined) {
    return `${quoted} is not how a fragment is written here; write {{${fragment}}} or {{fragments.${fragment}}}`;
  }
  if (text.startsWith("{{{")) return `${quoted} has three braces; write two`;
  if (/^\{\{\s*[#^/>!&]|\||^\{\{\s*else\b/.test(text)) {
    return `${quoted}: conditions, loops, filters and the like are not supported; only {{variable}} and {{fragment}}`;
  }
  return `${quoted} is no variable or fragment: names are of letters, digits, "_" and "-"`;
}

function quote(text: string): string {
  const [line = ""] = text.split("\n", 1);
  return line.length > QUOTE_LENGTH ? `${line.slice(0, QUOTE_LENGTH)}…` : line;
}
