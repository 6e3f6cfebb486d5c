/** Reads the values of options. Each function throws commander's InvalidArgumentError, which says what would be right. */
import { isIPv6 } from "node:net";
import { InvalidArgumentError } from "commander";
import { DurationError, parseDuration } from "../../api/fields/duration.ts";
import { canonicalHost } from "../../gateway/host-rule.ts";
import { parsePort } from "../terminal/port.ts";

const MAX_URL_LENGTH = 2_048;

export function portValue(text: string): number {
  try {
    return parsePort(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

/** Returns a host name or an address in one spelling. */
export function hostValue(text: string): string {
  const host = canonicalHost(text);
  const hasPort = /:\d*$/.test(text) && !isIPv6(text);
  if (host !== undefined && !hasPort && !host.includes("*")) return host;
  throw new InvalidArgumentError("It must be a host name or an address, without a port.");
}

/** Returns the URL as it was written. A user name or a password in it would be seen by everybody who sees what it is used in. */
export function httpURLValue(text: string): string {
  const url = URL.parse(text);
  const isHTTP = url?.protocol === "http:" || url?.protocol === "https:";
  if (isHTTP && url.username === "" && url.password === "" && text.length <= MAX_URL_LENGTH) {
    return text;
  }
  throw new InvalidArgumentError("It must be an http or https URL without a user or a password.");
}

export function positiveValue(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 10_000) return value;
  throw new InvalidArgumentError("It must be a whole number from 1 to 10000.");
}

/** Returns milliseconds. `otherwise` is the message when the text is not a duration, or one below `minMs`. */
export function durationValue(text: string, minMs: number, otherwise: string): number {
  try {
    const value = parseDuration(text);
    if (value >= minMs) return value;
  } catch (error) {
    if (!(error instanceof DurationError)) throw error;
  }
  throw new InvalidArgumentError(otherwise);
}

/** Reads a flag that takes several values, or a variable that separates them by commas. */
export function listOf(value: string | string[] | undefined): string[] {
  return [value ?? []]
    .flat()
    .flatMap((each) => each.split(","))
    .map((each) => each.trim())
    .filter((each) => each !== "");
}
