/**
 * Holds connections to the address rule. The address that is judged is the one that is connected to: a name that changes its address
 * between a check and the connection gains nothing.
 */
import { lookup, type LookupAddress } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { isForbiddenName } from "./address-kind.ts";
import { addressVerdict, type AddressPolicy } from "./address-verdict.ts";

/** The message names no address. */
export class AddressRefusedError extends Error {
  override readonly name = "AddressRefusedError";
  readonly code = "ADDRESS_REFUSED";

  constructor() {
    super("the address is not allowed");
  }
}

/** A socket looks no literal address up, so this judges the host of a URL before. Names wait for the lookup. */
export function isRefusedHost(hostname: string, policy: AddressPolicy): boolean {
  const host = hostname.replace(/^\[|\]$/g, "");
  if (isIP(host) !== 0) return !addressVerdict(host, policy).allowed;
  return isForbiddenName(host);
}

/** The `lookup` of a socket. Addresses that are not allowed are left out, and where none is left the connection fails. */
export function guardedLookup(policy: AddressPolicy, resolve = lookup): LookupFunction {
  return (hostname, options, callback) => {
    if (isForbiddenName(hostname)) {
      callback(new AddressRefusedError(), [], 0);
      return;
    }
    resolve(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
      if (error !== null) {
        callback(error, [], 0);
        return;
      }
      const allowed = found.filter(({ address }) => addressVerdict(address, policy).allowed);
      const [first] = allowed;
      if (first === undefined) callback(new AddressRefusedError(), [], 0);
      else if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}
