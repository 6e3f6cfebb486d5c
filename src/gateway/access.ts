/** The token that a gateway wants before it tells what runs, where others than the user of this machine may reach it. */
import { hash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** The cookie that lets a page in. A browser sends the cookies of a host to all its ports, so the port is part of the name. */
export function accessCookie({ token, port }: { token: string; port: number }): string {
  return `omnia-token-${port}=${token}`;
}

export class Access {
  readonly #token: string;
  readonly #cookie: string;

  constructor(token: string, port: number) {
    this.#token = token;
    this.#cookie = accessCookie({ token, port });
  }

  /** Takes the time that it takes, however much of the token is right. */
  isToken(candidate: string): boolean {
    return isSame(candidate, this.#token);
  }

  /** Whether the request brings the token, as its bearer token or in a cookie. */
  isGrantedTo({ headers }: IncomingMessage): boolean {
    return (
      this.#isAuthorization(headers.authorization ?? "") ||
      cookiesOf(headers.cookie ?? "").some((cookie) => isSame(cookie, this.#cookie))
    );
  }

  /** What a browser is told to keep. Scripts do not see it, and no request that another site causes brings it. */
  get setCookie(): string {
    return `${this.#cookie}; Path=/; HttpOnly; SameSite=Strict`;
  }

  /** Returns what is left of a header for an agent, which has no use for the token. Nothing left is `undefined`. */
  withoutToken(name: string, value: string): string | undefined {
    switch (name.toLowerCase()) {
      case "authorization":
        return this.#isAuthorization(value) ? undefined : value;
      case "cookie": {
        const cookies = cookiesOf(value);
        const others = cookies.filter((cookie) => !isSame(cookie, this.#cookie));
        if (others.length === cookies.length) return value;
        return others.length === 0 ? undefined : others.join("; ");
      }
      default:
        return value;
    }
  }

  #isAuthorization(value: string): boolean {
    const token = /^bearer +(\S+) *$/i.exec(value)?.[1];
    return token !== undefined && this.isToken(token);
  }
}

function cookiesOf(header: string): string[] {
  return header.split(";").map((cookie) => cookie.trim());
}

/** Compares hashes, so that neither the time of the comparison nor a length says anything of the right one. */
function isSame(one: string, other: string): boolean {
  return timingSafeEqual(hash("sha256", one, "buffer"), hash("sha256", other, "buffer"));
}
