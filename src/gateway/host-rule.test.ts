import type { IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { canonicalHost, hostOfRequest, hostRule } from "./host-rule.ts";

const machine = {
  hostname: () => "Box.lan",
  addresses: () => ["127.0.0.1", "192.168.1.5", "fe80::1%eth0", "2001:db8::5"],
};

function allowed(
  listen: { address: string; given?: string; allowedHosts?: string[] },
  hosts: readonly string[],
): string[] {
  const { address, given = address, allowedHosts = [] } = listen;
  const rule = hostRule({ address, given, allowedHosts, machine });
  return hosts.filter((host) => rule.allows(canonicalHost(host) ?? ""));
}

const LOCAL = [
  "localhost",
  "LOCALHOST.:80",
  "app.localhost",
  "127.0.0.1",
  "127.3.2.1:8080",
  "[::1]",
];
const OF_MACHINE = ["192.168.1.5:8080", "[fe80::1]", "[2001:DB8:0::5]:8080", "box.lan"];
const FOREIGN = [
  "rebound.example",
  "localhost.rebound.example",
  "127.0.0.1.rebound.example",
  "192.168.1.5.rebound.example",
  "192.168.1.6",
  "[2001:db8::6]",
  "localhost..",
  "0.0.0.0",
  "",
];

describe("a gateway", () => {
  it("on a loopback address answers to the names of loopback alone", () => {
    for (const address of ["127.0.0.1", "::1", "127.0.1.1", "::ffff:127.0.0.1"]) {
      expect(allowed({ address }, [...LOCAL, ...OF_MACHINE, ...FOREIGN])).toEqual(LOCAL);
    }
  });

  it("on all addresses answers to those of the machine, and to its name", () => {
    const hosts = [...LOCAL, ...OF_MACHINE, ...FOREIGN];
    expect(allowed({ address: "::" }, hosts)).toEqual([...LOCAL, ...OF_MACHINE]);
    expect(allowed({ address: "0.0.0.0" }, hosts)).toEqual([...LOCAL, ...OF_MACHINE, "0.0.0.0"]);
    expect(allowed({ address: "::" }, ["[::ffff:192.168.1.5]"])).toHaveLength(1);
  });

  it("on one address answers to that one, and to the name by which it was given", () => {
    const hosts = [...LOCAL, ...OF_MACHINE, ...FOREIGN];
    expect(allowed({ address: "192.168.1.5" }, hosts)).toEqual(["192.168.1.5:8080"]);
    expect(allowed({ address: "192.168.1.5", given: "Box.lan" }, hosts)).toEqual([
      "192.168.1.5:8080",
      "box.lan",
    ]);
  });

  it("answers to each host that it is allowed, in every spelling", () => {
    const allowedHosts = ["Agents.Example", "2001:db8::9", "203.0.113.7"];
    const spellings = ["agents.example:443", "AGENTS.example.", "[2001:db8:0::9]", "203.0.113.7"];
    for (const address of ["127.0.0.1", "0.0.0.0", "192.168.1.5"]) {
      expect(allowed({ address, allowedHosts }, spellings)).toEqual(spellings);
      expect(
        allowed({ address, allowedHosts }, ["x.agents.example", "agents.example.evil"]),
      ).toEqual([]);
    }
  });

  it("knows whether it is on a loopback address by the address, not by the name", () => {
    const isLoopback = (address: string, given: string): boolean =>
      hostRule({ address, given, allowedHosts: [], machine }).isLoopback;
    expect(isLoopback("127.0.1.1", "box.lan")).toBe(true);
    expect(isLoopback("192.168.1.5", "localhost")).toBe(false);
    expect(isLoopback("0.0.0.0", "0")).toBe(false);
  });
});

describe("the host of a request", () => {
  const request = (rawHeaders: string[], url = "/"): string | undefined =>
    hostOfRequest({ rawHeaders, url } as IncomingMessage);

  it("is that of its one Host header", () => {
    expect(request(["Accept", "host", "HOST", "LocalHost.:80"])).toBe("localhost");
  });

  it.each([
    [[]],
    [["Host", "localhost", "host", "localhost"]],
    [["Host", ""]],
    [["Host", "localhost, rebound.example"]],
    [["Host", "me@localhost"]],
    [["Host", "localhost:http"]],
    [["Host", "[::1"]],
  ])("is not known from %j", (rawHeaders) => {
    expect(["localhost", "[::1]"]).not.toContain(request(rawHeaders));
  });

  it("is not known when the target names another one", () => {
    const headers = ["Host", "localhost:8080"];
    expect(request(headers, "http://LOCALHOST/ws")).toBe("localhost");
    expect(request(headers, "http://rebound.example/ws")).toBeUndefined();
    expect(request(headers, "HTTPS://rebound.example")).toBeUndefined();
    expect(request(headers, "http://me@localhost/")).toBeUndefined();
  });
});
