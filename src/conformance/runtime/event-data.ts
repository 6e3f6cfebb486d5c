/** Splits a body into the data of its server-sent events, as the standard says. */
import { CheckFailed } from "../harness/check-failed.ts";

const MAX_ANSWER_CHARACTERS = 16 * 1024 * 1024;

export async function* eventData(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let characters = 0;
  let rest = "";
  let lines: string[] = [];
  for await (const bytes of body) {
    const text = decoder.decode(bytes, { stream: true });
    characters += text.length;
    if (characters > MAX_ANSWER_CHARACTERS) throw new CheckFailed("its answer does not end");
    rest += text;
    // A return at the end of a piece may be the first half of a line's end.
    const whole = rest.endsWith("\r") ? rest.slice(0, -1) : rest;
    const parts = whole.split(/\r\n|\r|\n/);
    rest = (parts.pop() ?? "") + rest.slice(whole.length);
    for (const line of parts) {
      if (line !== "") {
        lines.push(line);
        continue;
      }
      const data = dataOf(lines);
      lines = [];
      if (data !== undefined) yield data;
    }
  }
}

function dataOf(lines: readonly string[]): string | undefined {
  const data = lines.filter((line) => line.startsWith("data:"));
  return data.length === 0
    ? undefined
    : data.map((line) => line.replace(/^data: ?/, "")).join("\n");
}
