import type { Stream } from "node:stream";

const MAX_LINE_CHARACTERS = 2_000;

/** Hands on each line of a stream that is not blank. What is longer than a line may be is cut off. */
export function logLines(stream: Stream, onLine: (line: string) => void): void {
  const decoder = new TextDecoder();
  let rest = "";
  const hand = (line: string): void => {
    if (line.trim() !== "") onLine(line.trimEnd());
  };
  stream.on("data", (chunk: Uint8Array) => {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = (lines.pop() ?? "").slice(0, MAX_LINE_CHARACTERS);
    for (const line of lines) hand(line.slice(0, MAX_LINE_CHARACTERS));
  });
  stream.on("end", () => hand(rest));
  stream.on("error", () => {});
}
