/** Decides which addresses a tool may have. Public ones always, forbidden ones never, and the others where somebody allowed them. */
import { isIP, type BlockList } from "node:net";
import { addressKind, blockList, spellingsOf, type AddressKind } from "./address-kind.ts";

/** What is allowed besides public addresses: `private`, `loopback`, or a network like `10.0.0.0/8`. */
export type AllowedAddresses = readonly string[];

export const PRIVATE_ADDRESSES: AllowedAddresses = ["private"];
/** On a machine with one user. */
export const MACHINE_ADDRESSES: AllowedAddresses = ["private", "loopback"];

export interface AddressPolicy {
  readonly private: boolean;
  readonly loopback: boolean;
  readonly networks: BlockList;
}

export type AddressVerdict =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly kind: Exclude<AddressKind, "public"> };

/** What is neither a word nor a network allows nothing. */
export function addressPolicy(allowed: AllowedAddresses): AddressPolicy {
  return {
    private: allowed.includes("private"),
    loopback: allowed.includes("loopback"),
    networks: blockList(allowed.filter((each) => networkProblem(each) === undefined)),
  };
}

/** `address` is an IP address, as a socket connects to it. */
export function addressVerdict(address: string, policy: AddressPolicy): AddressVerdict {
  const kind = addressKind(address);
  switch (kind) {
    case "public":
      return { allowed: true };
    case "forbidden":
      return { allowed: false, kind };
    case "private":
    case "loopback": {
      const isListed = spellingsOf(address).some((each) =>
        policy.networks.check(each, isIP(each) === 6 ? "ipv6" : "ipv4"),
      );
      return policy[kind] || isListed ? { allowed: true } : { allowed: false, kind };
    }
  }
}

/** Why a text is no network like `10.0.0.0/8`. */
export function networkProblem(text: string): string | undefined {
  const [, address = "", prefix = ""] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const family = address.includes("%") ? 0 : isIP(address);
  if (family === 0 || Number(prefix) > (family === 4 ? 32 : 128)) {
    return "must be a network like 10.0.0.0/8 or fd00::/8";
  }
  return undefined;
}
