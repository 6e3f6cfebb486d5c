import { resolve } from "node:path";
import type { AuthConfig } from "../agent-config/agent-config.ts";
import type { Log } from "../observability/log.ts";
import type { Clock } from "../time/clock.ts";
import { createAPIKeyAuthenticator } from "./api-keys.ts";
import type { Authenticator } from "./authenticator.ts";
import { createJWTAuthenticator } from "./jwt.ts";

/** Undefined when the config asks for no authentication. When it does and names no way to authenticate, nobody gets in. */
export function createAuthenticator(
  auth: AuthConfig | undefined,
  options: { configFolder: string; clock: Clock; log: Log },
): Authenticator | undefined {
  if (auth === undefined) return undefined;
  const authenticators: Authenticator[] = [];
  if (auth.apiKeysFolder !== undefined) {
    const folder = resolve(options.configFolder, auth.apiKeysFolder);
    const source = { folder, secretName: auth.apiKeysSecret };
    authenticators.push(createAPIKeyAuthenticator(source, options));
  }
  if (auth.jwt !== undefined) authenticators.push(createJWTAuthenticator(auth.jwt, options));
  return {
    async authenticate(token) {
      for (const authenticator of authenticators) {
        const credential = await authenticator.authenticate(token);
        if (credential !== undefined) return credential;
      }
      return undefined;
    },
    async review() {
      const accepts = await Promise.all(
        authenticators.map((authenticator) => authenticator.review()),
      );
      return (credential) => accepts.some((accept) => accept(credential));
    },
  };
}
