const SHOWN = "[address]";

/**
 * What looks like a URL, an IP address or a host with a port. gRPC's own libraries write them into the messages of statuses, as in
 * "failed to connect to all addresses; last error: UNKNOWN: ipv4:10.0.0.1:443".
 */
const ADDRESSES = [
  /\b[a-z][a-z0-9+.-]{0,31}:\/\/[^\s"'<>]+/gi,
  /\bunix:[^\s"'<>]+/gi,
  /\[[0-9a-f:.%]{2,64}\](?::\d{1,5})?/gi,
  /(?<![0-9a-z:.])(?:[0-9a-f]{0,4}:){2,7}(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{1,4})?(?![0-9a-z:])/gi,
  /\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b/g,
  /\b(?:[a-z0-9](?:[a-z0-9-]{0,62})\.)+[a-z][a-z0-9-]{0,62}:\d{1,5}\b/gi,
  /\b(?:[a-z0-9](?:[a-z0-9-]{0,62})\.)+(?:svc|local|internal|localdomain)\b(?::\d{1,5})?/gi,
  /\blocalhost(?::\d{1,5})?\b/gi,
];
/** Characters that are looked through. */
const MAX_CHARACTERS = 16 * 1024;

export function withoutAddresses(text: string): string {
  let clean = text.slice(0, MAX_CHARACTERS);
  for (const address of ADDRESSES) clean = clean.replaceAll(address, SHOWN);
  return clean;
}
