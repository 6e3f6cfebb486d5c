import { describe, expect, it } from "vitest";
import { withoutAddresses } from "./without-addresses.ts";

describe("the words of an error", () => {
  it.each([
    ["see http://10.0.0.1:80/a?b=c now", "see [address] now"],
    ["GET <https://tools.internal/x> failed", "GET <[address]> failed"],
    ["connect ECONNREFUSED 127.0.0.1:6379", "connect ECONNREFUSED [address]"],
    ["connect ECONNREFUSED ::1:6379", "connect ECONNREFUSED [address]"],
    ["at [fe80::1%eth0]:443", "at [address]"],
    ["no route to 2001:db8::5: try later", "no route to [address]: try later"],
    ["from ::ffff:10.0.0.1, and unix:/run/a.sock", "from [address], and [address]"],
    ["ipv4:10.0.0.1:443", "ipv4:[address]"],
    ["getaddrinfo ENOTFOUND db.team.svc", "getaddrinfo ENOTFOUND [address]"],
    ["localhost:5432 is down", "[address] is down"],
  ])("%j become %j", (text, clean) => expect(withoutAddresses(text)).toBe(clean));

  it.each([
    "Invalid arguments: expected number, received string at a",
    "at 12:30:15 on 2026-11-29",
    "version 1.2.3 of std::vector",
    "key:value and 12:30",
    "ratio 3:4, Error: no such city: Oslo",
  ])("%j stay as they are", (text) => expect(withoutAddresses(text)).toBe(text));
});
