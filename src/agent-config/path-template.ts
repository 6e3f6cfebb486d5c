/**
 * The `{name}` in the path of a tool's URL. Each is filled with an argument of the call, which stays within its segment of the path
 * whatever the argument is.
 */
const URL_PARTS = /^([a-z][a-z0-9+.-]*:\/\/[^/?#]*)([^?#]*)(.*)$/is;
const PARAMETER = /\{([A-Za-z_][A-Za-z0-9_.-]{0,63})\}/g;

/** The names of the arguments that the path wants, each once. */
export function pathParameters(url: string): string[] {
  const [, , path = ""] = URL_PARTS.exec(url) ?? [];
  return [...new Set([...path.matchAll(PARAMETER)].map(([, name = ""]) => name))];
}

/** What is wrong with the braces of a URL, with the cure. */
export function pathTemplateProblem(url: string): string | undefined {
  const [, , path = ""] = URL_PARTS.exec(url) ?? [];
  if (!/[{}]/.test(path.replaceAll(PARAMETER, ""))) return undefined;
  return "the path of its url has a brace that is not part of an argument like {order_id}; write %7B and %7D for plain braces";
}

export type FilledPath =
  | { readonly url: string; readonly rest: Readonly<Record<string, unknown>> }
  /** The error is for the model. */
  | { readonly error: string };

/** `rest` are the arguments that the path did not take. */
export function fillPath(
  url: string,
  toolArguments: Readonly<Record<string, unknown>>,
): FilledPath {
  const names = pathParameters(url);
  if (names.length === 0) return { url, rest: toolArguments };
  const values = new Map<string, string>();
  for (const name of names) {
    const value = Object.hasOwn(toolArguments, name) ? toolArguments[name] : undefined;
    if (value === undefined || value === null || value === "") {
      return {
        error: `not called: the argument ${JSON.stringify(name)} is needed for the tool's address`,
      };
    }
    const text = textOf(value);
    if (text === undefined || leavesSegment(text)) {
      return { error: `not called: ${unusable(name)}` };
    }
    values.set(name, text);
  }
  const [, origin = "", path = "", end = ""] = URL_PARTS.exec(url) ?? [];
  const segments = path.split("/").map((segment) => {
    const filled = segment.replaceAll(PARAMETER, (_, name: string) =>
      encodeSegment(values.get(name) ?? ""),
    );
    return filled === segment ? segment : { filled };
  });
  // Two arguments side by side may make up what neither of them is.
  const isDots = segments.some(
    (segment) => typeof segment === "object" && leavesSegment(decoded(segment.filled)),
  );
  if (isDots) return { error: `not called: ${unusable(names.join(", "))}` };
  const filledPath = segments
    .map((segment) => (typeof segment === "object" ? segment.filled : segment))
    .join("/");
  const rest = Object.entries(toolArguments).filter(([name]) => !names.includes(name));
  return { url: origin + filledPath + end, rest: Object.fromEntries(rest) };
}

function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value.toWellFormed();
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

/** What is wrong with the argument, for the model. */
export function unusable(name: string): string {
  return `the argument ${JSON.stringify(name)} is part of the tool's address, where it must be one plain value without "." or ".." as a step`;
}

/**
 * Whether a text would lead out of its segment of a path. Servers that decode a path before they walk it take an encoded slash for a
 * slash, and so do some for a backslash.
 */
export function leavesSegment(text: string): boolean {
  return text
    .split(/[/\\]/)
    .some((step) => /^\.{1,2}$/.test(step.replaceAll(/%2e/gi, ".").split(";")[0] ?? ""));
}

/** The text for a segment of a path, in which nothing of it means anything. */
export function encodeSegment(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

export function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
