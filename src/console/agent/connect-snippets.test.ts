import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { connectSnippets } from "./connect-snippets.ts";

const run = promisify(execFile);
const HOSTILE = "ws://localhost:8080/ws?agent=it's&namespace=$(touch /tmp/x)`id`\"";

const snippet = (name: string, wsUrl: string, authenticated = false): string =>
  connectSnippets({ wsUrl, authenticated }).find((one) => one.name === name)?.text ?? "";

describe("the ways to connect", () => {
  it("have the real address", () => {
    const url = "ws://localhost:8080/ws?agent=bot";
    for (const { name, text } of connectSnippets({ wsUrl: url, authenticated: false }))
      expect(`${name}: ${text}`).toContain(name === "curl" ? url.replace("ws:", "http:") : url);
  });

  it("hold no token, and take one from the environment where clients say who they are", () => {
    for (const { name, text } of connectSnippets({ wsUrl: "wss://a/ws", authenticated: true }))
      expect(`${name}: ${text}`).toContain("OMNIA_TOKEN");
    for (const { name, text } of connectSnippets({ wsUrl: "wss://a/ws", authenticated: false }))
      expect(`${name}: ${text}`).not.toContain("TOKEN");
  });

  it.each(["websocat", "curl"])(
    "%s takes an address as one word of the shell, whatever is in it",
    async (name) => {
      const program = name === "curl" ? "curl" : "websocat";
      const script = `${program}() { for word in "$@"; do printf '%s\\n' "$word"; done; }\n`;
      const { stdout } = await run("/bin/sh", ["-c", script + snippet(name, HOSTILE)]);
      const url = name === "curl" ? HOSTILE.replace("ws:", "http:") : HOSTILE;
      expect(stdout.split("\n")).toContain(url);
    },
  );

  it("JavaScript and Python take an address as one text, whatever is in it", () => {
    for (const name of ["JavaScript", "Python"])
      expect(snippet(name, HOSTILE)).toContain(JSON.stringify(HOSTILE));
  });
});
