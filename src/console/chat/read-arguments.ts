/** Reads the arguments of a call that a person edited. */
export function readArguments(
  text: string,
): { ok: true; arguments: Record<string, unknown> } | { ok: false; problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return {
      ok: false,
      problem: `This is no JSON: ${error instanceof Error ? error.message : ""}`,
    };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { ok: false, problem: "The arguments must be an object, as {…}." };
  }
  return { ok: true, arguments: value as Record<string, unknown> };
}
