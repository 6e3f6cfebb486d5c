import { expect, it } from "vitest";
import { withoutSecrets } from "./without-secrets.ts";

it.each([
  ["redis://:pass@host/1", "redis://[redacted]@host/1"],
  ["Authorization: Bearer abcdefgh.ijkl", "Authorization: Bearer [redacted]"],
  ["GET /v1?key=AIzaSyAAAAAAAAAAAAAAAAAAAAAA&alt=sse", "GET /v1?key=[redacted]&alt=sse"],
  ['{"api_key":"0123456789"}', '{"api_key":"[redacted]"}'],
  ["Incorrect API key provided: sk-proj-****abcd.", "Incorrect API key provided: [redacted]."],
  ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "[redacted]"],
  [
    "nothing to see in https://example.com/a@b here",
    "nothing to see in https://example.com/a@b here",
  ],
])("makes %s harmless", (text, clean) => {
  expect(withoutSecrets(text)).toBe(clean);
});
