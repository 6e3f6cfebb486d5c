import { describe, expect, it } from "vitest";
import { processorTime } from "../../../test/support/builders/processor-time.ts";
import { withoutCutWord, withoutSecrets, withoutSecretsOfCut } from "./without-secrets.ts";

function base64(before: string, secret: string): string {
  return Buffer.from(`${before} ${secret} behind`).toString("base64");
}

describe("withoutSecrets", () => {
  it.each([
    ["redis://:pass@host/1", "redis://[redacted]@host/1"],
    ["Authorization: Bearer abcdefgh.ijkl", "Authorization: Bearer [redacted]"],
    ["GET /v1?key=AIzaSyAAAAAAAAAAAAAAAAAAAAAA&alt=sse", "GET /v1?key=[redacted]&alt=sse"],
    ['{"api_key":"0123456789"}', '{"api_key":"[redacted]"}'],
    ["Incorrect API key provided: sk-proj-****abcd.", "Incorrect API key provided: [redacted]."],
    ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "[redacted]"],
    ['{"body":"{\\"password\\":\\"hunter22\\"}"}', '{"body":"{\\"password\\":\\"[redacted]\\"}"}'],
    ["api_key%3Dabcdefgh", "api_key%3D[redacted]"],
    ["Authorization%3A%20Bearer%20abcdefgh", "Authorization%3A%20Bearer%20[redacted]"],
    ["redis%3A%2F%2Fuser%3Apass%40host%2F1", "redis%3A%2F%2F[redacted]%40host%2F1"],
    ["redis:\\/\\/user:pass@host\\/1", "redis:\\/\\/[redacted]@host\\/1"],
    [
      "client_secret=abcdefgh AWS_SECRET_ACCESS_KEY: abcd",
      "client_secret=[redacted] AWS_SECRET_ACCESS_KEY: [redacted]",
    ],
    [`dump ${base64("ab", "sk-abcdefghijkl")} end`, "dump [redacted] end"],
    [`dump ${base64("a", "password=hunter22")} end`, "dump [redacted] end"],
    [`dump ${base64("", "redis://me:hunter2@store")} end`, "dump [redacted] end"],
    [
      `dump ${base64("abc", "what anybody may read")} end`,
      `dump ${base64("abc", "what anybody may read")} end`,
    ],
    [
      "nothing to see in https://example.com/a@b here",
      "nothing to see in https://example.com/a@b here",
    ],
  ])("makes %s harmless", (text, clean) => {
    expect(withoutSecrets(text)).toBe(clean);
  });
});

describe("a text that was cut off behind its end", () => {
  it.each([
    ["the key sk-proj-abcdefgh", "sk-"],
    ["connect redis://user:hunter22@store failed", "user"],
    ["connect redis%3A%2F%2Fuser%3Ahunter22%40store", "user"],
    ["Authorization: Bearer abcdefghijkl", "abc"],
    ['{"api_key":"0123456789"}', "012"],
    ['{"body":"{\\"password\\":\\"hunter22\\"}"}', "hun"],
    ["GET /v1?key=AIzaSyAAAAAAAAAAAAAAAAAAAAAA", "AIz"],
    ["token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "hbG"],
  ])("leaves nothing of the secret, wherever it was cut: %s", (text, beginning) => {
    const start = text.indexOf(beginning);
    for (let end = start; end < text.length; end += 1) {
      const clean = withoutSecretsOfCut(text.slice(0, end));
      expect(clean.slice(0, start)).toBe(text.slice(0, Math.min(start, clean.length)));
      expect(clean.slice(start)).not.toContain(beginning);
    }
  });

  it("leaves nothing of what base64 hides", () => {
    const text = `dump ${base64("x", "password=hunter22")}`;
    const from = text.indexOf("cGFzc3dvcmQ9") === -1 ? 20 : text.indexOf("cGFzc3dvcmQ9") + 12;
    for (let end = from + 4; end <= text.length; end += 1) {
      expect(withoutSecretsOfCut(text.slice(0, end))).toMatch(/^dump (\[redacted\])?$/);
    }
  });

  it("keeps its last word where that begins no secret", () => {
    expect(withoutSecretsOfCut("the image cannot be pul")).toBe("the image cannot be pul");
    expect(withoutSecretsOfCut("")).toBe("");
  });
});

describe("the removal of secrets", () => {
  it("drops the first word of a text that was cut off before its beginning", () => {
    expect(withoutCutWord("0123456789 was refused")).toBe("was refused");
    expect(withoutCutWord('9"} was refused')).toBe('"} was refused');
  });

  it("takes little time, whatever the text is", () => {
    const pieces = [
      "a.",
      "a:/",
      "a://",
      "a%3a%2f%2f",
      "key=",
      "key",
      "key ",
      'key\\"',
      "\\",
      "sk-",
      "eyJ",
      "basic.",
      "bearer ",
      "QUJD",
      "a-b_",
    ];
    for (const piece of pieces) {
      const text = piece.repeat(32_000 / piece.length);
      const started = processorTime();
      withoutSecrets(text);
      withoutSecretsOfCut(text);
      expect({ piece, slow: processorTime() - started > 250 }).toEqual({ piece, slow: false });
    }
  });
});
