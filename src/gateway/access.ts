/** The token that a gateway wants before it tells what runs, where others than the user of this machine may reach it. */
import { hash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { ACCESS_HEADER } from "../http-api/paths.ts";

export class Access {
  readonly #token: string;

  constructor(token: string) {
    this.#token = token;
  }

  /**
   * Whether the request brings the token: as its bearer token, or in a header of its own where the bearer token is for an agent. It
   * takes the time that it takes, however much of the token is right. A cookie does not count, since a browser sends cookies by itself.
   */
  isGrantedTo({ headers }: IncomingMessage): boolean {
    const own = headers[ACCESS_HEADER];
    return (
      this.#isAuthorization(headers.authorization ?? "") ||
      (typeof own === "string" && isSame(own, this.#token))
    );
  }

  /** Returns what is left of a header for an agent, which has no use for the token. Nothing left is `undefined`. */
  withoutToken(name: string, value: string): string | undefined {
    switch (name.toLowerCase()) {
      case "authorization":
        return this.#isAuthorization(value) ? undefined : value;
      case ACCESS_HEADER:
        return undefined;
      default:
        return value;
    }
  }

  #isAuthorization(value: string): boolean {
    const token = /^bearer +(\S+) *$/i.exec(value)?.[1];
    return token !== undefined && isSame(token, this.#token);
  }
}

/** Compares hashes, so that neither the time of the comparison nor a length says anything of the right one. */
function isSame(one: string, other: string): boolean {
  return timingSafeEqual(hash("sha256", one, "buffer"), hash("sha256", other, "buffer"));
}
