/** What a container said last, from the end of its log: a line of JSON as our own agent writes it, or any text. */
import { withoutSecrets } from "./without-secrets.ts";

interface LogLine {
  readonly isError: boolean;
  readonly text: string;
}

/** "" when it said nothing. */
export function lastWords(message: string): string {
  const lines = message.split("\n").filter((line) => line.trim() !== "");
  const parsed = lines.map(logLine).filter((line) => line !== undefined);
  const line = parsed.findLast(({ isError }) => isError) ?? parsed.at(-1);
  return withoutSecrets(line?.text ?? lines.at(-1) ?? "");
}

function logLine(line: string): LogLine | undefined {
  if (!line.trimEnd().endsWith("}")) return undefined;
  return wholeLine(line) ?? cutLine(line);
}

function wholeLine(line: string): LogLine | undefined {
  let fields: Record<string, unknown>;
  try {
    const parsed: unknown = JSON.parse(line);
    if (typeof parsed !== "object" || parsed === null) return undefined;
    fields = parsed as Record<string, unknown>;
  } catch {
    return undefined;
  }
  const { level, msg, message, error, err } = fields;
  const text = [msg, message].find((one) => typeof one === "string");
  if (text === undefined) return undefined;
  const cause = [error, err].map(messageOf).find((one) => one !== undefined);
  return {
    isError: level === "error" || level === "fatal",
    text: cause === undefined || cause === text ? text : `${text}: ${cause}`,
  };
}

function messageOf(error: unknown): string | undefined {
  if (typeof error === "string") return error;
  const { message } = (error ?? {}) as { message?: unknown };
  return typeof message === "string" ? message : undefined;
}

/** The kubelet keeps the last 2 KiB: the beginning of a line with a long stack is lost, what it says stands at its end. */
function cutLine(line: string): LogLine | undefined {
  const said = /"msg":("(?:[^"\\]|\\.)*")\}\s*$/.exec(line);
  if (said?.[1] === undefined) return undefined;
  const cause = /"message":("(?:[^"\\]|\\.)*")/.exec(line);
  const texts = [said[1], cause?.[1]].map(unquoted).filter((text) => text !== undefined);
  return {
    isError: line.includes('"stack":') || line.includes("\\n    at "),
    text: texts.join(": "),
  };
}

function unquoted(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as string;
  } catch {
    return undefined;
  }
}
