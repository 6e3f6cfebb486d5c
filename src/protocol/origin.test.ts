import { describe, expect, it } from "vitest";
import { hostOf, isHostTrusted, isLoopback, isOriginAllowed } from "./origin.ts";

describe("isOriginAllowed", () => {
  it.each([
    [{ host: "agents.example" }, []],
    [{ host: "agents.example", origin: "https://agents.example" }, []],
    [{ host: "agents.example:8080", origin: "http://agents.example:8080" }, []],
    [{ host: "agents.example", origin: "https://app.example" }, ["https://app.example"]],
    [{ host: "agents.example", origin: "https://app.example" }, ["https://app.example:443/"]],
    [{ host: "agents.example", origin: "null" }, ["*"]],
  ])("allows %j with %j", (headers, allowed) => {
    expect(isOriginAllowed(headers, { allowedOrigins: allowed, isLocal: false })).toBe(true);
  });

  it.each([
    [{ host: "agents.example", origin: "https://other.example" }, []],
    [{ host: "agents.example:8080", origin: "http://agents.example" }, []],
    [{ host: "agents.example", origin: "null" }, ["https://app.example"]],
    [{ host: "agents.example", origin: "" }, []],
    [{ host: "agents.example", origin: "https://app.example.evil" }, ["https://app.example"]],
    [{ host: "agents.example", origin: "http://app.example" }, ["https://app.example"]],
    [{ origin: "https://other.example" }, []],
    [{ host: "agents.example", origin: "http://localhost:5173" }, []],
    [{ host: "agents.example", origin: "http://app.localhost" }, []],
    [{ host: "localhost:8080", origin: "http://127.0.0.1:5173" }, []],
  ])("refuses %j with %j", (headers, allowed) => {
    expect(isOriginAllowed(headers, { allowedOrigins: allowed, isLocal: false })).toBe(false);
  });
});

describe("a host of this machine", () => {
  it("takes a request for its own when its Host is this machine, or a gateway has judged it", () => {
    expect(isHostTrusted({ host: "localhost:8080" })).toBe(true);
    expect(isHostTrusted({ host: "[::1]:8080" })).toBe(true);
    expect(isHostTrusted({ host: "agents.example", "x-forwarded-host": "agents.example" })).toBe(
      true,
    );
    expect(isHostTrusted({ host: "127.0.0.1.evil.example" })).toBe(false);
    expect(isHostTrusted({})).toBe(false);
  });

  it("knows this machine by all its names", () => {
    const hosts = [
      "localhost",
      "LOCALHOST.",
      "a.localhost",
      "127.0.0.1",
      "127.9.9.9",
      "::1",
      "[::1]",
    ];
    expect(hosts.filter((host) => !isLoopback(host))).toEqual([]);
    const others = ["10.0.0.1", "localhost.evil", "127.0.0.1.evil", "::", "0.0.0.0"];
    expect(others.filter(isLoopback)).toEqual([]);
  });
});

describe("hostOf", () => {
  it.each([
    ["localhost:8080", "localhost"],
    ["[::1]:8080", "[::1]"],
    ["agents.example", "agents.example"],
    ["Agents.Example.:80", "agents.example"],
    ["127.0.0.1.", "127.0.0.1"],
    ["", undefined],
    [".", undefined],
    ["localhost..", undefined],
    ["localhost:port", undefined],
    ["localhost:99999", undefined],
    ["localhost:80:80", undefined],
    ["[::1", undefined],
    [undefined, undefined],
    ["localhost/../evil", undefined],
    ["user@localhost", undefined],
  ])("reads %s as %s", (header, host) => {
    expect(hostOf(header)).toBe(host);
  });
});

describe("isLoopback, of a host without its port", () => {
  it.each(["localhost", "LOCALHOST", "app.localhost", "127.0.0.1", "127.8.9.1", "[::1]"])(
    "takes %s",
    (host) => {
      expect(isLoopback(host)).toBe(true);
    },
  );
  it.each(["localhost.evil.example", "127.evil.example", "10.0.0.1", "notlocalhost"])(
    "refuses %s",
    (host) => {
      expect(isLoopback(host)).toBe(false);
    },
  );
});

describe("isOriginAllowed, on a loopback address", () => {
  const host = "localhost:8080";

  it("lets clients through that are no browsers", () => {
    expect(
      isOriginAllowed({ origin: undefined, host }, { allowedOrigins: [], isLocal: true }),
    ).toBe(true);
  });
  it.each(["http://localhost:3000", "http://127.0.0.1:8080", "http://[::1]:9"])(
    "lets a page of %s through",
    (origin) => {
      expect(isOriginAllowed({ origin, host }, { allowedOrigins: [], isLocal: true })).toBe(true);
    },
  );
  it.each([
    "https://evil.example",
    "null",
    "",
    "http://localhost.evil.example",
    "chrome-extension://abc",
  ])("keeps a page of %j out", (origin) => {
    expect(isOriginAllowed({ origin, host }, { allowedOrigins: [], isLocal: true })).toBe(false);
  });
  it("lets a page through that the gateway's own name served, whatever spelling of the port", () => {
    expect(
      isOriginAllowed(
        { origin: "https://agents.example", host: "agents.example" },
        { allowedOrigins: [], isLocal: true },
      ),
    ).toBe(true);
    expect(
      isOriginAllowed(
        { origin: "https://agents.example", host: "agents.example:443" },
        { allowedOrigins: [], isLocal: true },
      ),
    ).toBe(true);
    expect(
      isOriginAllowed(
        { origin: "http://agents.example:8081", host: "agents.example:8080" },
        { allowedOrigins: [], isLocal: true },
      ),
    ).toBe(false);
  });
  it("lets exactly the origins through that the agent names", () => {
    const allowed = ["https://app.example", "chrome-extension://abc"];
    expect(
      isOriginAllowed(
        { origin: "https://app.example", host },
        { allowedOrigins: allowed, isLocal: true },
      ),
    ).toBe(true);
    expect(
      isOriginAllowed(
        { origin: "http://app.example", host },
        { allowedOrigins: allowed, isLocal: true },
      ),
    ).toBe(false);
    expect(
      isOriginAllowed(
        { origin: "chrome-extension://abc", host },
        { allowedOrigins: allowed, isLocal: true },
      ),
    ).toBe(true);
    expect(
      isOriginAllowed(
        { origin: "chrome-extension://xyz", host },
        { allowedOrigins: allowed, isLocal: true },
      ),
    ).toBe(false);
    expect(
      isOriginAllowed(
        { origin: "https://other.example", host },
        { allowedOrigins: ["*"], isLocal: true },
      ),
    ).toBe(true);
  });
});
