import { describe, expect, it } from "vitest";
import { isHostTrusted, isLoopback, isOriginAllowed } from "./origin.ts";

describe("isOriginAllowed", () => {
  it.each([
    [{ host: "agents.example" }, []],
    [{ host: "agents.example", origin: "https://agents.example" }, []],
    [{ host: "agents.example:8080", origin: "http://agents.example:8080" }, []],
    [{ host: "agents.example", origin: "http://localhost:5173" }, []],
    [{ host: "agents.example", origin: "http://127.0.0.1" }, []],
    [{ host: "agents.example", origin: "https://app.example" }, ["https://app.example"]],
    [{ host: "agents.example", origin: "https://app.example" }, ["https://app.example:443/"]],
    [{ host: "agents.example", origin: "null" }, ["*"]],
  ])("allows %j with %j", (headers, allowed) => {
    expect(isOriginAllowed(headers, allowed)).toBe(true);
  });

  it.each([
    [{ host: "agents.example", origin: "https://other.example" }, []],
    [{ host: "agents.example:8080", origin: "http://agents.example" }, []],
    [{ host: "agents.example", origin: "null" }, ["https://app.example"]],
    [{ host: "agents.example", origin: "" }, []],
    [{ host: "agents.example", origin: "https://app.example.evil" }, ["https://app.example"]],
    [{ host: "agents.example", origin: "http://app.example" }, ["https://app.example"]],
    [{ origin: "https://other.example" }, []],
  ])("refuses %j with %j", (headers, allowed) => {
    expect(isOriginAllowed(headers, allowed)).toBe(false);
  });
});

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
