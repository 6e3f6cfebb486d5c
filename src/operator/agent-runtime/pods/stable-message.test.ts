import { describe, expect, it } from "vitest";
import { stableMessage } from "./stable-message.ts";

const POD = "support-7d9f8c4b5-x2x9z";
const UID = "0d8f3c1e-5b7a-4c1d-9e2f-0a1b2c3d4e5f";

describe("a message for a status", () => {
  it.each([
    ["times", "2026-03-01T12:00:00.123Z no route", "no route"],
    ["times in brackets", "[2026-03-01 12:00:00,5] WARN no route", "WARN no route"],
    ["times of a day", "12:00:01 no route", "no route"],
    [
      "the head of a line of klog",
      "E0301 12:00:01.123456       1 main.go:42] no",
      "main.go:42] no",
    ],
    ["names of pods", `cannot start ${POD}`, "cannot start …"],
    [
      "what names a pod only",
      `runs as root (pod: "${POD}_a(${UID})", container: agent)`,
      "runs as root",
    ],
    ["ids", `sandbox ${UID} of ${"0a".repeat(32)}`, "sandbox … of …"],
    ["addresses in memory", "fault at 0x7ffd3a2b1c", "fault at 0x…"],
    [
      "ports of clients",
      "dial tcp 10.0.0.2:43210->10.0.0.1:53: timeout",
      "dial tcp 10.0.0.1:53: timeout",
    ],
    ["pauses", "back-off 1m20s restarting", "back-off restarting"],
    ["the framing of a runtime", "rpc error: code = NotFound desc = no image", "no image"],
    [
      "the pod that was not made",
      `pods "${POD}" is forbidden: exceeded quota: q`,
      "exceeded quota: q",
    ],
    ["line breaks", "one\n  two\n", "one two"],
  ])("holds no %s", (_, message, expected) => {
    expect(stableMessage(message)).toBe(expected);
  });

  it.each([
    'failed to pull "registry.example/agent:2026-03-01": not found',
    `failed to pull "registry.example/agent@sha256:${"0a".repeat(32)}"`,
    "connect ECONNREFUSED 127.0.0.1:6379",
    'secret "redis-credentials" not found',
  ])("keeps what is the user's own: %s", (message) => {
    expect(stableMessage(message)).toBe(message);
  });

  it("holds no secret", () => {
    expect(stableMessage("cannot open redis://:hunter2@store:6379")).not.toContain("hunter2");
  });

  it("holds nothing of a secret at which a long message was cut", () => {
    const head = `${" ".repeat(3_960)}the key was `;
    for (let length = 4; length < 60; length += 1) {
      const key = `sk-${"abcdefghij".repeat(8)}`;
      const message = `${head.slice(length)}${key} and more`;
      expect(stableMessage(message)).not.toContain("abc");
    }
  });

  it("is short", () => {
    expect(stableMessage("long ".repeat(100_000))).toHaveLength(500);
  });
});
