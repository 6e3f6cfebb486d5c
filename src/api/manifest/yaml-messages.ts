/** What the `yaml` package finds wrong, in words that name the cure. */
import type { YAMLError } from "yaml";

const MESSAGES: { [Code in YAMLError["code"]]?: string } = {
  TAB_AS_INDENT: "a tab in the indentation; YAML allows only spaces there",
  RESOURCE_EXHAUSTION: "nested too deeply",
  BLOCK_IN_FLOW: 'a "," or a closing bracket is missing at this place or before it',
  MULTILINE_IMPLICIT_KEY:
    'a "," or ":" is missing, or the indentation is wrong, here or in the next line',
  NON_STRING_KEY: "the name of a field must be a text; a template ({{ }}) must be rendered first",
};

export function describeWarning(warning: YAMLError): string {
  return warning.code === "TAG_RESOLVE_FAILED"
    ? "this tag is unknown and ignored"
    : describeError(warning);
}

export function describeError({ code, message }: YAMLError): string {
  const known = MESSAGES[code];
  if (known !== undefined) return known;
  if (code === "TAG_RESOLVE_FAILED") {
    return "the value does not fit its tag; correct it, or remove the tag";
  }
  if (message.endsWith(" at node end")) {
    return 'something stands behind the end of a value; a second document begins after a line "---"';
  }
  if (message.startsWith("Nested mappings")) {
    return 'a ": " inside of a value; correct the indentation, or put the value in quotes';
  }
  if (message.startsWith("Implicit map keys need")) {
    return 'a field without ":"; write it as "name: value"';
  }
  if (message.startsWith("Missing , or :")) return 'a "," or ":" is missing between two fields';
  // The text after the colon comes from the file, and may be a secret.
  const [what = ""] = message.split(": ", 1);
  return `not valid YAML: ${what.charAt(0).toLowerCase()}${what.slice(1)}`;
}

/**
 * Keeps one error for each place, and only the first unexpected token, because later ones only follow from it. So does everything
 * behind a name that is no text, as templates have it.
 */
export function firstErrors(errors: readonly YAMLError[]): YAMLError[] {
  const places = new Set<number>();
  let unexpected = false;
  const template = Math.min(
    ...errors.flatMap(({ code, pos }) => (code === "NON_STRING_KEY" ? pos[0] : [])),
  );
  return errors.filter(({ code, pos: [start] }) => {
    if (start > template || places.has(start) || (code === "UNEXPECTED_TOKEN" && unexpected))
      return false;
    unexpected ||= code === "UNEXPECTED_TOKEN";
    places.add(start);
    return true;
  });
}
