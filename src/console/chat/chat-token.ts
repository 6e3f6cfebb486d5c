import { ClientError } from "../../protocol/client/client-error.ts";
import type { TokenProvider } from "../../protocol/client/transport.ts";
import { currentToken } from "../api/token.ts";

/** Gives each connection the token of the page. One that was refused is not tried again: the person is asked for another. */
export function chatToken(read: () => string | undefined = currentToken): TokenProvider {
  let last: string | undefined;
  return (isRefused) => {
    const token = read();
    if (isRefused && token === last) {
      throw new ClientError("unauthorized", "Your token is no longer accepted. Sign in again.");
    }
    last = token;
    return token;
  };
}
