import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import * as limits from "../../../src/agent/contracts/limits.ts";
import * as frames from "../../../src/protocol/frames.ts";
import { parseServerFrame } from "../../../src/protocol/server-frame.ts";

const page = await readFile(new URL("../../../docs/protocol.md", import.meta.url), "utf8");

function examples(kind: "client" | "server"): string[] {
  return [...page.matchAll(/```json (\w+)\n(.*?)```/gs)]
    .filter(([, ofKind]) => ofKind === kind)
    .map(([, , text]) => text ?? "");
}

describe("the protocol's page", () => {
  it.each(examples("client"))("shows a frame of a client: %s", (text) => {
    const parsed = frames.parseClientFrame(text);
    expect(parsed).toEqual({ ok: true, frame: JSON.parse(text) });
  });

  it.each(examples("server"))("shows a frame of a server: %s", (text) => {
    expect(parseServerFrame(text)).toEqual({ ok: true, frame: JSON.parse(text) });
  });

  it("shows every type of frame", () => {
    const types = (kind: "client" | "server") =>
      new Set(examples(kind).map((text) => (JSON.parse(text) as { type: string }).type));
    expect(types("client")).toEqual(new Set(["message", "cancel", "resume", "approve", "deny"]));
    expect(types("server")).toEqual(
      new Set([
        "connected",
        "chunk",
        "tool_call",
        "tool_result",
        "approval_request",
        "done",
        "error",
      ]),
    );
  });

  it.each([...frames.ERROR_CODES, ...frames.FINISH_REASONS])("tells what %s means", (name) => {
    expect(page).toMatch(new RegExp(`^\\| \`${name}\` \\| \\S`, "m"));
  });

  it("names the limits that the agent has", () => {
    expect({
      frameKiB: frames.MAX_CLIENT_FRAME_BYTES / 1024,
      idCharacters: frames.MAX_ID_LENGTH,
      reasonCharacters: frames.MAX_REASON_LENGTH,
      pingSeconds: limits.PING_INTERVAL_MS / 1000,
      pongSeconds: limits.PONG_TIMEOUT_MS / 1000,
      unsentMiB: limits.DEFAULT_LIMITS.maxUnsentBytes / 1024 / 1024,
      unsentSeconds: limits.DEFAULT_LIMITS.maxUnsentMs / 1000,
      idleFramesPerSecond: limits.DEFAULT_LIMITS.messagesPerSecond,
      idleFramesAtOnce: limits.DEFAULT_LIMITS.messageBurst,
      sessions: limits.DEFAULT_LIMITS.maxSessionsPerConnection,
      queueSeconds: limits.DEFAULT_LIMITS.maxQueueMs / 1000,
      answerMiCharacters: limits.MAX_ANSWER_CHARACTERS / 1024 / 1024,
      drainSeconds: limits.DRAIN_TIMEOUT_MS / 1000,
    }).toEqual({
      frameKiB: numberIn(/may have (\d+) KiB/),
      idCharacters: numberIn(/up to (\d+) characters/),
      reasonCharacters: numberIn(/`reason`, of up to (\d+) characters/),
      pingSeconds: numberIn(/pings every (\d+) s/),
      pongSeconds: numberIn(/none within (\d+) s is cut off/),
      unsentMiB: numberIn(/more than (\d+) MiB has waited/),
      unsentSeconds: numberIn(/waited for it for (\d+) s/),
      idleFramesPerSecond: numberIn(/send (\d+) frames a second/),
      idleFramesAtOnce: numberIn(/and (\d+) at once/),
      sessions: numberIn(/follow (\d+) sessions/),
      queueSeconds: numberIn(/waits up to (\d+) s for/),
      answerMiCharacters: numberIn(/ends at (\d+) Mi characters/),
      drainSeconds: numberIn(/\((\d+) s at most\)/),
    });
  });
});

function numberIn(pattern: RegExp): number {
  return Number(pattern.exec(page)?.[1]);
}
