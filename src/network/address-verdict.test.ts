import { describe, expect, it } from "vitest";
import {
  addressPolicy,
  addressVerdict,
  MACHINE_ADDRESSES,
  networkProblem,
  PRIVATE_ADDRESSES,
} from "./address-verdict.ts";

function kindOf(address: string, allowed: readonly string[] = []): string {
  const verdict = addressVerdict(address, addressPolicy(allowed));
  return verdict.allowed ? "allowed" : verdict.kind;
}

const PUBLIC = ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111"];
const PUBLIC_WITHIN = ["::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"];
const PRIVATE = [
  "10.0.0.1",
  "10.255.255.255",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.1.1",
  "100.64.0.1",
  "198.18.0.1",
  "192.0.0.8",
  "fc00::1",
  "fd12:3456::1",
  "fec0::1",
  "::ffff:10.0.0.1",
  "::ffff:a00:1",
  "::10.0.0.1",
  "::ffff:0:10.0.0.1",
  "64:ff9b::10.0.0.1",
  "64:ff9b:1::10.0.0.1",
  "2002:a00:1::1",
  "2001:0:1:2:3:4:f5ff:fffe",
  "2606:4700::5efe:10.0.0.1",
  "2606:4700::200:5efe:10.0.0.1",
];
const LOOPBACK = [
  "127.0.0.1",
  "127.255.255.254",
  "0.0.0.0",
  "0.1.2.3",
  "::1",
  "0:0:0:0:0:0:0:1",
  "::",
  "::ffff:127.0.0.1",
  "::ffff:7f00:1",
  "::ffff:0.0.0.0",
  "64:ff9b::7f00:1",
  "2002:7f00:1::",
];
const FORBIDDEN = [
  "169.254.0.1",
  "169.254.169.254",
  "169.254.170.2",
  "fe80::1",
  "fe80::1%eth0",
  "febf::1",
  "100.100.100.200",
  "168.63.129.16",
  "192.0.0.192",
  "fd00:ec2::254",
  "FD00:EC2::23",
  "fd20:ce::254",
  "::ffff:169.254.169.254",
  "::ffff:a9fe:a9fe",
  "::169.254.169.254",
  "64:ff9b::a9fe:a9fe",
  "64:ff9b:1::a9fe:a9fe",
  "2002:a9fe:a9fe::1",
  "::ffff:100.100.100.200",
  "2001:0:1:2:3:4:5601:5601",
  "224.0.0.1",
  "255.255.255.255",
  "240.0.0.1",
  "ff02::1",
  "",
  "example.com",
  "2130706433",
  "1.2.3",
];

describe("an address", () => {
  it.each([...PUBLIC, ...PUBLIC_WITHIN])("%s is public, and always allowed", (address) => {
    expect(kindOf(address)).toBe("allowed");
    expect(kindOf(address, MACHINE_ADDRESSES)).toBe("allowed");
  });

  it.each(PRIVATE)("%s is private, and allowed where private addresses are", (address) => {
    expect(kindOf(address)).toBe("private");
    expect(kindOf(address, ["loopback"])).toBe("private");
    expect(kindOf(address, PRIVATE_ADDRESSES)).toBe("allowed");
  });

  it.each(LOOPBACK)("%s is loopback, and allowed where loopback is", (address) => {
    expect(kindOf(address)).toBe("loopback");
    expect(kindOf(address, PRIVATE_ADDRESSES)).toBe("loopback");
    expect(kindOf(address, MACHINE_ADDRESSES)).toBe("allowed");
  });

  it.each(FORBIDDEN)("%j is forbidden, whatever is allowed", (address) => {
    expect(kindOf(address)).toBe("forbidden");
    const everything = [...MACHINE_ADDRESSES, "0.0.0.0/0", "::/0", "169.254.0.0/16", "fe80::/10"];
    expect(kindOf(address, everything)).toBe("forbidden");
  });
});

describe("a network that is allowed", () => {
  it.each([
    ["10.1.0.0/16", "10.1.2.3", "allowed"],
    ["10.1.0.0/16", "10.2.2.3", "private"],
    ["10.1.0.0/16", "::ffff:10.1.2.3", "allowed"],
    ["10.1.0.0/16", "64:ff9b::10.1.2.3", "allowed"],
    ["10.1.2.3/32", "10.1.2.3", "allowed"],
    ["10.1.2.3/32", "10.1.2.4", "private"],
    ["fd12::/16", "fd12::1", "allowed"],
    ["fd12::/16", "fd13::1", "private"],
    ["127.0.0.0/8", "127.0.0.1", "allowed"],
    ["127.0.0.0/8", "::1", "loopback"],
    ["nonsense", "10.1.2.3", "private"],
    ["10.1.0.0/33", "10.1.2.3", "private"],
  ])("of %s makes %s %s", (network, address, verdict) => {
    expect(kindOf(address, [network])).toBe(verdict);
  });

  it.each(["10.0.0.0", "10.0.0.0/33", "::/129", "private", "fe80::%1/10", "a/8", "10.0.0/8", "/8"])(
    "is not written as %j",
    (text) => expect(networkProblem(text)).toMatch(/^must be a network like/),
  );

  it.each(["10.0.0.0/8", "0.0.0.0/0", "fd00::/8", "::/0", "10.1.2.3/32"])(
    "may be written as %j",
    (text) => expect(networkProblem(text)).toBeUndefined(),
  );
});
