import type * as jose from "jose";
import type { AuthConfig } from "../../../agent-config/agent-config.ts";
import type { Clock } from "../../../time/clock.ts";
import { Deadline } from "../../../time/deadline.ts";
import { RateLimit } from "../../../time/rate-limit.ts";
import {
  ISSUER_TIMEOUT_MS,
  MAX_DISCOVERY_CHARACTERS,
  MAX_TOKEN_CHARACTERS,
  UNKNOWN_KEY_RATE,
} from "../../contracts/limits.ts";
import type { Authenticator } from "./authenticator.ts";

type JWTConfig = NonNullable<AuthConfig["jwt"]>;
type KeySet = ReturnType<typeof jose.createRemoteJWKSet>;
type JOSEErrors = typeof jose.errors;

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
const CLOCK_SKEW_SECONDS = 60;
/** Keys are fetched again after this long, and also when a token names an unknown one, which may be new. */
const KEYS_MAX_AGE_MS = 10 * 60_000;

/** Tokens of one issuer, checked with the keys that it publishes. */
export function createJWTAuthenticator(config: JWTConfig, clock: Clock): Authenticator {
  let keySet: Promise<KeySet> | undefined;
  const unknownKeys = new RateLimit(clock, () => UNKNOWN_KEY_RATE);
  return {
    async authenticate(token) {
      if (token.length > MAX_TOKEN_CHARACTERS || token.split(".").length !== 3) return undefined;
      const { jwtVerify, errors } = await import("jose");
      keySet ??= openKeySet(config, clock);
      const opening = keySet;
      let keys: KeySet;
      try {
        keys = await opening;
      } catch (error) {
        if (keySet === opening) keySet = undefined;
        throw error;
      }
      try {
        const { payload } = await jwtVerify(token, (header, jws) => keyOf(keys, header, jws), {
          issuer: config.issuer,
          audience: config.audiences,
          algorithms: ALGORITHMS,
          clockTolerance: CLOCK_SKEW_SECONDS,
          currentDate: new Date(clock.now()),
          requiredClaims: ["exp", "sub"],
        });
        return carries(payload, config.requiredClaims) ? `jwt:${payload.sub}` : undefined;
      } catch (error) {
        if (isRefusal(error, errors)) return undefined;
        throw error;
      }
    },
  };

  async function keyOf(keys: KeySet, ...[header, token]: Parameters<KeySet>): ReturnType<KeySet> {
    const { errors } = await import("jose");
    try {
      return await keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !unknownKeys.take()) throw error;
      await keys.reload();
      return keys(header, token);
    }
  }
}

/** Whether the token is at fault, and not the fetch of the keys. */
function isRefusal(error: unknown, errors: JOSEErrors): boolean {
  return (
    error instanceof errors.JOSEError &&
    !(error instanceof errors.JWKSTimeout) &&
    !(error instanceof errors.JWKSInvalid) &&
    // jose throws an error with this code when the answer to the fetch of the keys is no key set.
    error.code !== "ERR_JOSE_GENERIC"
  );
}

function carries(payload: jose.JWTPayload, required: Readonly<Record<string, string>>): boolean {
  return Object.entries(required).every(([claim, expected]) => {
    const value = payload[claim];
    if (Array.isArray(value)) return value.includes(expected);
    return ["string", "number", "boolean"].includes(typeof value) && String(value) === expected;
  });
}

async function openKeySet(config: JWTConfig, clock: Clock): Promise<KeySet> {
  const { createRemoteJWKSet } = await import("jose");
  const url = new URL(config.jwksUri ?? (await discoverKeys(config.issuer, clock)));
  return createRemoteJWKSet(url, {
    timeoutDuration: ISSUER_TIMEOUT_MS,
    // `keyOf` decides when to fetch again for an unknown key.
    cooldownDuration: Number.POSITIVE_INFINITY,
    cacheMaxAge: KEYS_MAX_AGE_MS,
  });
}

/** Asks the issuer where its keys are (OpenID Connect Discovery). */
async function discoverKeys(issuer: string, clock: Clock): Promise<string> {
  const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  using deadline = new Deadline({ ms: ISSUER_TIMEOUT_MS, clock });
  const response = await fetch(url, { signal: deadline.signal, redirect: "error" });
  if (!response.ok)
    throw new Error(`the issuer answered ${response.status} to its discovery document`);
  const text = await response.text();
  if (text.length > MAX_DISCOVERY_CHARACTERS)
    throw new Error("the issuer's discovery document is too long");
  const document = JSON.parse(text) as { issuer?: unknown; jwks_uri?: unknown };
  if (document.issuer !== issuer) throw new Error("the discovery document is of another issuer");
  if (typeof document.jwks_uri !== "string")
    throw new Error("the discovery document names no jwks_uri");
  return document.jwks_uri;
}
