/** Which kind of network an IP address belongs to. */
import { BlockList, isIP } from "node:net";

/**
 * `forbidden` is what nothing of ours may connect to: link-local addresses, addresses at which clouds give credentials to machines, and
 * those that are no single machine. `loopback` includes the addresses that stand for all addresses of this machine.
 */
export type AddressKind = "public" | "private" | "loopback" | "forbidden";

const FORBIDDEN = blockList([
  "169.254.0.0/16",
  "fe80::/10",
  // The metadata services of Alibaba, Azure and Oracle, and those of AWS and Google in IPv6. Others are link-local.
  "100.100.100.200/32",
  "168.63.129.16/32",
  "192.0.0.192/32",
  "fd00:ec2::/32",
  "fd20:ce::254/128",
  // Groups of machines, and addresses that are reserved.
  "224.0.0.0/4",
  "240.0.0.0/4",
  "ff00::/8",
]);
const LOOPBACK = blockList(["127.0.0.0/8", "0.0.0.0/8", "::1/128", "::/128"]);
const PRIVATE = blockList([
  "10.0.0.0/8",
  "100.64.0.0/10",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "fc00::/7",
  "fec0::/10",
  "64:ff9b:1::/48",
]);

/** Names that stand for a metadata service, whatever they resolve to. */
const FORBIDDEN_NAMES = new Set([
  "metadata.google.internal",
  "metadata.goog",
  "metadata.azure.internal",
  "metadata.tencentyun.com",
  "instance-data.ec2.internal",
]);

/** An address that is no IP address is forbidden. */
export function addressKind(address: string): AddressKind {
  const plain = withoutZone(address);
  switch (isIP(plain)) {
    case 4:
      return kindIn(plain, "ipv4");
    case 6: {
      const inner = ipv4Within(plain);
      const outer = kindIn(plain, "ipv6");
      return inner === undefined ? outer : stricter(outer, kindIn(inner, "ipv4"));
    }
    default:
      return "forbidden";
  }
}

export function isForbiddenName(hostname: string): boolean {
  return FORBIDDEN_NAMES.has(hostname.toLowerCase().replace(/\.+$/, ""));
}

/** The address as it is, and the IPv4 address that an IPv6 address leads to. */
export function spellingsOf(address: string): string[] {
  const plain = withoutZone(address);
  const inner = isIP(plain) === 6 ? ipv4Within(plain) : undefined;
  return inner === undefined ? [plain] : [plain, inner];
}

/** Takes networks like `10.0.0.0/8`. Throws on what is none. */
export function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", prefix = ""] = network.split("/");
    list.addSubnet(address, Number(prefix), isIP(address) === 6 ? "ipv6" : "ipv4");
  }
  return list;
}

function withoutZone(address: string): string {
  const end = address.indexOf("%");
  return end < 0 ? address : address.slice(0, end);
}

const BY_STRICTNESS: readonly AddressKind[] = ["public", "private", "loopback", "forbidden"];

function stricter(a: AddressKind, b: AddressKind): AddressKind {
  return BY_STRICTNESS.indexOf(a) > BY_STRICTNESS.indexOf(b) ? a : b;
}

function kindIn(address: string, family: "ipv4" | "ipv6"): AddressKind {
  if (FORBIDDEN.check(address, family)) return "forbidden";
  if (LOOPBACK.check(address, family)) return "loopback";
  return PRIVATE.check(address, family) ? "private" : "public";
}

/** Routers, translators and tunnels take such an IPv6 address to the IPv4 address that is written in it. */
function ipv4Within(address: string): string | undefined {
  const groups = groupsOf(address);
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = groups;
  const startsWithZeros = a === 0 && b === 0 && c === 0 && d === 0;
  // ::a.b.c.d, ::ffff:a.b.c.d and ::ffff:0:a.b.c.d
  if (startsWithZeros && e === 0 && (f === 0 || f === 0xffff)) return ipv4(g, h);
  if (startsWithZeros && e === 0xffff && f === 0) return ipv4(g, h);
  // NAT64, by its own prefix and by the one for use within a network
  if (a === 0x64 && b === 0xff9b && c <= 1) return ipv4(g, h);
  // 6to4
  if (a === 0x2002) return ipv4(b, c);
  // Teredo writes the address of the client with all bits turned.
  if (a === 0x2001 && b === 0) return ipv4(g ^ 0xffff, h ^ 0xffff);
  // ISATAP
  if ((e === 0 || e === 0x200) && f === 0x5efe) return ipv4(g, h);
  return undefined;
}

function ipv4(high: number, low: number): string {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".");
}

/** The eight groups of a valid IPv6 address. */
function groupsOf(address: string): number[] {
  const [, before = address, quad] = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address) ?? [];
  const [a = 0, b = 0, c = 0, d = 0] = (quad ?? "").split(".").map(Number);
  const hex =
    quad === undefined
      ? address
      : `${before}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  const [head = "", tail] = hex.split("::");
  const read = (text: string): number[] =>
    text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
  if (tail === undefined) return read(head);
  const [first, last] = [read(head), read(tail)];
  return [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
}
