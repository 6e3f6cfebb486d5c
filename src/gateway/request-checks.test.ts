import { describe, expect, test } from "vitest";
import { hostOf, isLoopbackHost, isOriginAllowed } from "./request-checks.ts";

describe("hostOf", () => {
  test.each([
    ["localhost:8080", "localhost"],
    ["[::1]:8080", "[::1]"],
    ["agents.example", "agents.example"],
    ["", undefined],
    [undefined, undefined],
    ["localhost/../evil", undefined],
    ["user@localhost", undefined],
  ])("reads %s as %s", (header, host) => {
    expect(hostOf(header)).toBe(host);
  });
});

describe("isLoopbackHost", () => {
  test.each(["localhost", "LOCALHOST", "app.localhost", "127.0.0.1", "127.8.9.1", "[::1]"])(
    "takes %s",
    (host) => {
      expect(isLoopbackHost(host)).toBe(true);
    },
  );
  test.each(["localhost.evil.example", "127.evil.example", "10.0.0.1", "notlocalhost"])(
    "refuses %s",
    (host) => {
      expect(isLoopbackHost(host)).toBe(false);
    },
  );
});

describe("isOriginAllowed", () => {
  const host = "localhost:8080";

  test("lets clients through that are no browsers", () => {
    expect(isOriginAllowed(undefined, host, [])).toBe(true);
  });
  test.each(["http://localhost:3000", "http://127.0.0.1:8080", "http://[::1]:9"])(
    "lets a page of %s through",
    (origin) => {
      expect(isOriginAllowed(origin, host, [])).toBe(true);
    },
  );
  test.each([
    "https://evil.example",
    "null",
    "",
    "http://localhost.evil.example",
    "chrome-extension://abc",
  ])("keeps a page of %j out", (origin) => {
    expect(isOriginAllowed(origin, host, [])).toBe(false);
  });
  test("lets a page through that the gateway's own name served, whatever spelling of the port", () => {
    expect(isOriginAllowed("https://agents.example", "agents.example", [])).toBe(true);
    expect(isOriginAllowed("https://agents.example", "agents.example:443", [])).toBe(true);
    expect(isOriginAllowed("http://agents.example:8081", "agents.example:8080", [])).toBe(false);
  });
  test("lets exactly the origins through that the agent names", () => {
    const allowed = ["https://app.example", "chrome-extension://abc"];
    expect(isOriginAllowed("https://app.example", host, allowed)).toBe(true);
    expect(isOriginAllowed("http://app.example", host, allowed)).toBe(false);
    expect(isOriginAllowed("chrome-extension://abc", host, allowed)).toBe(true);
    expect(isOriginAllowed("chrome-extension://xyz", host, allowed)).toBe(false);
    expect(isOriginAllowed("https://other.example", host, ["*"])).toBe(true);
  });
});
