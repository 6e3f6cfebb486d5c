import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { curlCommand } from "./call-tool.ts";

const run = promisify(execFile);

describe("a call of a tool for a shell", () => {
  const call = {
    agent: "default/bot",
    tool: "find it/now",
    arguments: { text: 'it\'s $HOME `id`\n"quoted"' },
  };

  it("is the same call, whatever its arguments hold", async () => {
    const script = `curl() { for word in "$@"; do printf '%s\\0' "$word"; done; }\n`;
    const command = curlCommand(call, "http://localhost:8080", false);
    const { stdout } = await run("/bin/sh", ["-c", script + command]);
    const words = stdout.split("\0");
    expect(words).toContain(
      "http://localhost:8080/api/v1alpha1/agents/default/bot/tools/find%20it%2Fnow/call",
    );
    const body = words[words.indexOf("-d") + 1] ?? "";
    expect(JSON.parse(body)).toEqual({ arguments: call.arguments });
  });

  it("names the variable of a token where one is wanted, and never holds the token", () => {
    const command = curlCommand(call, "http://localhost:8080", true);
    expect(command).toContain('"authorization: Bearer $OMNIA_TOKEN"');
  });
});
