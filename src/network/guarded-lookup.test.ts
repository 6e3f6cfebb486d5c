import type { LookupAddress, LookupOptions } from "node:dns";
import { describe, expect, it } from "vitest";
import { addressPolicy } from "./address-verdict.ts";
import { AddressRefusedError, guardedLookup, isRefusedHost } from "./guarded-lookup.ts";

/** What a socket gets for a name with these addresses. */
function lookedUp(
  addresses: readonly string[],
  { all = true, allowed = [], name = "tool.example" }: LookupCase = {},
): Promise<unknown> {
  const found = addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  const resolve = (_: string, __: LookupOptions, done: (e: null, f: LookupAddress[]) => void) =>
    done(null, found);
  const lookup = guardedLookup(addressPolicy(allowed), resolve as never);
  return new Promise((done) => {
    lookup(name, { all }, (error, address) => done(error ?? address));
  });
}
interface LookupCase {
  all?: boolean;
  allowed?: readonly string[];
  name?: string;
}

describe("a name that is looked up", () => {
  it("has only those of its addresses that are allowed", async () => {
    const addresses = ["10.0.0.1", "8.8.8.8", "169.254.169.254", "::1"];
    expect(await lookedUp(addresses)).toEqual([{ address: "8.8.8.8", family: 4 }]);
    expect(await lookedUp(addresses, { all: false })).toBe("8.8.8.8");
    expect(await lookedUp(addresses, { all: false, allowed: ["private"] })).toBe("10.0.0.1");
  });

  it.each([[["10.0.0.1"]], [["169.254.169.254", "127.0.0.1"]], [[]]])(
    "is refused where none of %j is allowed, and the error names no address",
    async (addresses) => {
      const error = await lookedUp(addresses);
      expect(error).toBeInstanceOf(AddressRefusedError);
      expect(String(error)).not.toMatch(/\d/);
    },
  );

  it.each(["metadata.google.internal", "Metadata.Google.Internal.", "instance-data.ec2.internal"])(
    "is refused where it is %s, wherever that leads",
    async (name) => {
      expect(await lookedUp(["8.8.8.8"], { name })).toBeInstanceOf(AddressRefusedError);
      expect(isRefusedHost(name, addressPolicy(["private", "loopback"]))).toBe(true);
    },
  );
});

describe("the host of a URL", () => {
  it.each([
    "http://127.0.0.1/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://0/",
    "http://10.0.0.1:80/",
    "http://169.254.169.254/latest/meta-data",
    "http://0xa9fea9fe/",
    "http://2852039166/",
    "http://①②⑦.0.0.1/",
  ])("is refused in %s, before anything is connected to", (url) => {
    expect(isRefusedHost(new URL(url).hostname, addressPolicy([]))).toBe(true);
  });

  it.each(["http://8.8.8.8/", "http://tool.example/", "http://[2606:4700::1111]/"])(
    "is not refused in %s",
    (url) => expect(isRefusedHost(new URL(url).hostname, addressPolicy([]))).toBe(false),
  );
});
