import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_OWN_TEXT_CHARACTERS, ownWords } from "./own-words.ts";

function said(contentType: string | undefined, text: string, status = 404): string | undefined {
  return ownWords({ status, contentType, text });
}

describe("what a tool says of an error", () => {
  it.each([
    ["text/plain", "no such city", "no such city"],
    ["text/plain; charset=utf-8", " no such city\n", "no such city"],
    ["application/json", '{ "detail": "no such city" }', '{"detail":"no such city"}'],
    ["application/problem+json", '{"title":"Gone"}', '{"title":"Gone"}'],
    ["application/vnd.api+json;v=1", '["gone"]', '["gone"]'],
    ["text/json", '"gone"', '"gone"'],
  ])("is told when it comes as %s: %j", (type, text, words) => {
    expect(said(type, text)).toBe(words);
  });

  it.each([
    [undefined, "no such city"],
    ["", "no such city"],
    ["text/html", "<p>no such city"],
    ["text/html", "no such city"],
    ["application/xml", "<error/>"],
    ["text/plain", "<html><body>nginx</body></html>"],
    ["text/plain", "see <a href='/x'>this</a>"],
    ["text/plain", "x".repeat(MAX_OWN_TEXT_CHARACTERS + 1)],
    ["application/json", '{"detail":"no such'],
    ["application/json", "<html></html>"],
    ["application/json", ""],
    ["application/json", "[".repeat(5_000) + "]".repeat(5_000)],
    ["application/octet-stream", "no such city"],
  ])("is not told when it comes as %s: %j", (type, text) => {
    expect(said(type, text)).toBeUndefined();
  });

  it.each([100, 302, 304, 401, 403, 407, 500, 502, 503, 504, 599])(
    "is not told with HTTP %i, with which others answer for it",
    (status) => {
      expect(said("application/json", '{"detail":"gone"}', status)).toBeUndefined();
      expect(said("text/plain", "gone", status)).toBeUndefined();
    },
  );

  it("is not told when it is too long to be read", () => {
    expect(
      ownWords({ status: 400, contentType: "application/json", text: undefined }),
    ).toBeUndefined();
  });

  it.each([
    ["see https://api.example.com/docs?q=1#x for it", "see [address] for it"],
    ["postgres://user@db:5432/x is down", "[address] is down"],
    ["connect ECONNREFUSED 10.1.2.3:8080", "connect ECONNREFUSED [address]"],
    ["host 192.168.0.1 is gone", "host [address] is gone"],
    ["upstream [fd00::1]:443 failed", "upstream [address] failed"],
    ["upstream fe80::1%eth0 failed", "upstream [address] failed"],
    ["it was fe80::1.", "it was [address]."],
    ["upstream ::1 failed", "upstream [address] failed"],
    ["2001:db8:0:0:0:0:2:1 failed", "[address] failed"],
    ["::ffff:169.254.169.254", "[address]"],
    ["redis:6379 refused", "[address] refused"],
    ["localhost:3000/x refused", "[address] refused"],
    ["orders.shop.svc.cluster.local is unknown", "[address] is unknown"],
    ["orders.shop.svc is unknown", "[address] is unknown"],
    ["api.example.com:443", "[address]"],
    ["the order 12:30 is late", "the order 12:30 is late"],
    ["at 2026-11-29T10:30:00Z", "at 2026-11-29T10:30:00Z"],
    ["version 1.2.3 of a.b", "version 1.2.3 of a.b"],
    ["line 5: expected }", "line 5: expected }"],
  ])("has no address: %j is told as %j", (text, words) => {
    expect(said("text/plain", text)).toBe(words);
    expect(said("application/json", JSON.stringify({ [text]: [text] }))).toBe(
      JSON.stringify({ [words]: [words] }),
    );
    expect(said("application/json", JSON.stringify(text).replaceAll("/", String.raw`\/`))).toBe(
      JSON.stringify(words),
    );
  });

  it("has no address of IPv4 wherever it stands", () => {
    const octet = fc.nat(255);
    fc.assert(
      fc.property(fc.tuple(octet, octet, octet, octet), fc.nat(65_535), (octets, port) => {
        const address = octets.join(".");
        for (const text of [address, `${address}:${port}`, `http://${address}:${port}/x`]) {
          expect(said("text/plain", `upstream ${text} failed`)).toBe("upstream [address] failed");
        }
      }),
    );
  });
});
