import { isIPv6 } from "node:net";

const SHOWN = "[address]";
const PATH = String.raw`(?:\/[^\s"'<>,;)]{0,2048})?`;
const LABELS = String.raw`(?:[a-z\d](?:[a-z\d_-]{0,62})\.){1,10}`;
const START = String.raw`(?<![\w.-])`;

/**
 * What looks like a URL, an IPv4 address, a host with a port or a name of a network of one's own. Libraries write them into the messages
 * of errors, as in "failed to connect to all addresses; last error: UNKNOWN: ipv4:10.0.0.1:443".
 */
const ADDRESSES = [
  /\b[a-z][a-z0-9+.-]{0,31}:\/\/[^\s"'<>]+/gi,
  /\bunix:[^\s"'<>]+/gi,
  new RegExp(String.raw`\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b${PATH}`, "g"),
  new RegExp(
    String.raw`${START}${LABELS}(?:svc|local|internal|localdomain|lan|intranet|corp)\b(?::\d{1,5})?${PATH}`,
    "gi",
  ),
  new RegExp(String.raw`${START}${LABELS}[a-z][a-z\d-]{0,62}:\d{1,5}\b${PATH}`, "gi"),
  new RegExp(String.raw`\blocalhost(?::\d{1,5})?\b${PATH}`, "gi"),
  // A name alone with a port, but no time of the day and no number of a line.
  new RegExp(String.raw`${START}[a-z][a-z\d-]{0,62}:\d{2,5}(?![\w:])${PATH}`, "gi"),
];
/** What may be an IPv6 address: a time of the day may, too. */
const MAYBE_IPV6 =
  /(?<![0-9a-z:.])(\[?)([0-9a-f]{0,4}:[0-9a-f:.]{1,45}(?:%\w{1,16})?)(?:\](?::\d{1,5})?)?(?![0-9a-z])/gi;
/** Characters that are looked through. */
const MAX_CHARACTERS = 16 * 1024;

/** The words of an error for those who must not learn where a tool is. */
export function withoutAddresses(text: string): string {
  const clean = text
    .slice(0, MAX_CHARACTERS)
    .replaceAll(MAYBE_IPV6, (found, _bracket, address: string) => {
      const end = /[:.]+$/.exec(address)?.[0] ?? "";
      const bare = isIPv6(address) ? address : address.slice(0, address.length - end.length);
      if (!isIPv6(bare)) return found;
      return bare === address ? SHOWN : SHOWN + end;
    });
  return ADDRESSES.reduce((left, pattern) => left.replaceAll(pattern, SHOWN), clean);
}
