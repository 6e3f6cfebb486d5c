/** The page of limits that are constants: their names, values, and the comments beside them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { code, page, sentence, table, type Page } from "./markdown.ts";

const ROOT = join(import.meta.dirname, "../..");
const KIBIBYTE = 1024;
/** What they limit → the file. */
const FILES: Readonly<Record<string, string>> = {
  "Agents: clients, turns, models, tools, files": "src/agent/contracts/limits.ts",
  "Servers of tools": "src/tool-servers/server/limits.ts",
  "Servers of tools that speak gRPC": "src/tool-servers/grpc/grpc-limits.ts",
  Sessions: "src/agent/sessions/session-store.ts",
  "Who a client is": "src/authentication/limits.ts",
  "Frames of clients": "src/protocol/frames.ts",
};

export async function limitsPage(): Promise<Page> {
  const parts: string[] = [];
  for (const [what, file] of Object.entries(FILES)) {
    const values = (await import(join(ROOT, file))) as Readonly<Record<string, unknown>>;
    const comments = commentsIn(readFileSync(join(ROOT, file), "utf8"));
    const rows = Object.entries(values).flatMap(([name, value]) =>
      typeof value === "number" ? [[code(name), shown(name, value), comments.get(name) ?? ""]] : [],
    );
    const order = [...comments.keys()];
    const place = ([name = ""]: readonly string[]): number =>
      order.indexOf(name.replaceAll("`", ""));
    parts.push(
      `## ${what}`,
      `In [${file}](../../${file}).`,
      table(
        ["constant", "value", "meaning"],
        rows.toSorted((one, other) => place(one) - place(other)),
      ),
    );
  }
  return page(
    "reference/limits.md",
    { title: "Limits that are constants", source: "src/agent/contracts/limits.ts" },
    [
      "What cannot be set. [What one replica bears](../limits.md) has those that can, and what happens past each of them.",
      ...parts,
    ],
  );
}

/** Name of an exported constant → the comment above it, or nothing. In the order of the file. */
function commentsIn(source: string): Map<string, string> {
  const comments = new Map<string, string>();
  for (const [, comment = "", name = ""] of source.matchAll(
    /(?:\/\*\*((?:(?!\*\/)[^])*)\*\/\n)?export const (\w+)/g,
  )) {
    const text = comment
      .replaceAll(/^\s*\* ?/gm, " ")
      .replaceAll(/\s+/g, " ")
      .trim();
    comments.set(name, text === "" ? "" : sentence(text));
  }
  return comments;
}

function shown(name: string, value: number): string {
  if (name.endsWith("_MS")) return duration(value);
  if (/BYTES|CHARACTERS/.test(name))
    return size(value, name.includes("BYTES") ? "B" : " characters");
  return value.toLocaleString("en-US");
}

function duration(milliseconds: number): string {
  const units = [
    ["h", 3_600_000],
    ["min", 60_000],
    ["s", 1_000],
  ] as const;
  const unit = units.find(([, length]) => milliseconds >= length && milliseconds % length === 0);
  return unit === undefined
    ? `${milliseconds.toLocaleString("en-US")} ms`
    : `${milliseconds / unit[1]} ${unit[0]}`;
}

function size(count: number, unit: string): string {
  const powers = ["", "Ki", "Mi", "Gi"];
  let power = 0;
  let rest = count;
  while (rest >= KIBIBYTE && rest % KIBIBYTE === 0 && power < powers.length - 1) {
    rest /= KIBIBYTE;
    power += 1;
  }
  return `${rest.toLocaleString("en-US")} ${powers[power]}${unit}`.replace("  ", " ");
}
