import type * as jose from "jose";
import type { Log } from "../observability/log.ts";
import type { Clock } from "../time/clock.ts";
import { MAX_TOKEN_CHARACTERS } from "./limits.ts";
import type { Authenticator } from "./authenticator.ts";
import { IssuerKeys, type PublishedKeys } from "./issuer-keys.ts";
import { CLOCK_SKEW_SECONDS, judgeClaims, type JWTConfig } from "./token-claims.ts";

/** Only signatures of key pairs are taken: whoever can check a token with a shared secret can also make one. */
const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];

interface FoundKey {
  readonly key: jose.CryptoKey;
  readonly keys: PublishedKeys;
}

/** Tokens of one issuer, checked with the keys that it publishes. */
export function createJWTAuthenticator(
  config: JWTConfig,
  { clock, log }: { clock: Clock; log: Log },
): Authenticator {
  const issuerKeys = new IssuerKeys(config, clock);
  return {
    async authenticate(token) {
      if (token.length > MAX_TOKEN_CHARACTERS || token.split(".").length !== 3) return undefined;
      const { errors, jwtVerify } = await import("jose");
      const now = clock.now();
      let signedBy: readonly string[] = [];
      try {
        // The keys are asked for only when the token can be read and names one of the algorithms.
        const { payload } = await jwtVerify(
          token,
          async (header, jws) => {
            const { key, keys } = await keyOf(header, jws);
            signedBy = keys.thumbprintsOf(header?.kid);
            return key;
          },
          {
            issuer: config.issuer,
            audience: config.audiences,
            algorithms: ALGORITHMS,
            clockTolerance: CLOCK_SKEW_SECONDS,
            currentDate: new Date(now),
            requiredClaims: ["exp", "sub"],
          },
        );
        const accepted = judgeClaims(payload, config, now);
        return accepted && { kind: "jwt", ...accepted, claims: payload, keys: signedBy };
      } catch (error) {
        if (error instanceof errors.JOSEError) return undefined;
        throw error;
      }
    },

    async review() {
      const keys = await issuerKeys.current().catch((error: unknown) => {
        log.error({ error }, "The keys of open connections could not be checked again");
      });
      const now = clock.now();
      return (credential) =>
        credential.kind === "jwt" &&
        judgeClaims(credential.claims, config, now) !== undefined &&
        (keys === undefined || credential.keys.every((key) => keys.has(key)));
    },
  };

  /** Throws an error of jose when the issuer publishes no such key. */
  async function keyOf(...token: Parameters<PublishedKeys["keyOf"]>): Promise<FoundKey> {
    const { errors } = await import("jose");
    let keys = await issuerKeys.current();
    try {
      return { key: await keys.keyOf(...token), keys };
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
    }
    keys = await issuerKeys.withNewest();
    return { key: await keys.keyOf(...token), keys };
  }
}
