import { ClientError } from "../../protocol/client/client-error.ts";
import type { TokenProvider } from "../../protocol/client/transport.ts";
import { currentToken } from "../api/token.ts";

/**
 * Gives each connection the token of the page. After one was refused, the person is asked for another, or asks for one more try with
 * the same.
 */
export function chatToken(read: () => string | undefined = currentToken): TokenProvider {
  let tried: { token: string | undefined } | undefined;
  return (isRefused) => {
    const token = read();
    if (isRefused && tried !== undefined && tried.token === token) {
      tried = undefined;
      throw new ClientError("unauthorized", "Your token is no longer accepted. Sign in again.");
    }
    tried = { token };
    return token;
  };
}
