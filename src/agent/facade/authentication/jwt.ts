import type * as jose from "jose";
import type { AuthConfig } from "../../../agent-config/agent-config.ts";
import type { Clock } from "../../../time/clock.ts";
import type { Authenticator } from "./authenticator.ts";
import { RateLimit } from "../../../time/rate-limit.ts";

type JWTConfig = NonNullable<AuthConfig["jwt"]>;
type KeySet = ReturnType<typeof jose.createRemoteJWKSet>;
type JOSEErrors = typeof jose.errors;

/** Signatures of key pairs only: with a shared secret whoever can check a token can make one. */
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
const FETCH_TIMEOUT_MS = 5_000;
/** Keys are fetched again after this long, and at once when a token names one that is not known: it may be new. */
const KEYS_MAX_AGE_MS = 10 * 60_000;
/** So that tokens with invented keys do not keep the issuer busy. */
const UNKNOWN_KEYS = { perSecond: 0.1, burst: 5 };
const MAX_TOKEN_CHARACTERS = 16 * 1024;
const MAX_DISCOVERY_BYTES = 256 * 1024;

/** Tokens of one issuer, checked with the keys that it publishes. */
export function createJWTAuthenticator(config: JWTConfig, clock: Clock): Authenticator {
  let keySet: Promise<KeySet> | undefined;
  const unknownKeys = new RateLimit(clock, () => UNKNOWN_KEYS);
  return {
    async authenticate(token) {
      if (token.length > MAX_TOKEN_CHARACTERS || token.split(".").length !== 3) return undefined;
      const { jwtVerify, errors } = await import("jose");
      keySet ??= openKeySet(config);
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

/** Whether the token is at fault, rather than the keys that could not be had. */
function isRefusal(error: unknown, errors: JOSEErrors): boolean {
  return (
    error instanceof errors.JOSEError &&
    !(error instanceof errors.JWKSTimeout) &&
    !(error instanceof errors.JWKSInvalid) &&
    // What the fetch of the keys is answered with, when it is no key set.
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

async function openKeySet(config: JWTConfig): Promise<KeySet> {
  const { createRemoteJWKSet } = await import("jose");
  const url = new URL(config.jwksUri ?? (await discoverKeys(config.issuer)));
  return createRemoteJWKSet(url, {
    timeoutDuration: FETCH_TIMEOUT_MS,
    // Fetching again for an unknown key is decided here.
    cooldownDuration: Number.POSITIVE_INFINITY,
    cacheMaxAge: KEYS_MAX_AGE_MS,
  });
}

/** Asks the issuer where its keys are (OpenID Connect Discovery). */
async function discoverKeys(issuer: string): Promise<string> {
  const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const response = await fetch(url, {
    signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
    redirect: "error",
  });
  if (!response.ok)
    throw new Error(`the issuer answered ${response.status} to its discovery document`);
  const text = await response.text();
  if (text.length > MAX_DISCOVERY_BYTES)
    throw new Error("the issuer's discovery document is too long");
  const document = JSON.parse(text) as { issuer?: unknown; jwks_uri?: unknown };
  if (document.issuer !== issuer) throw new Error("the discovery document is of another issuer");
  if (typeof document.jwks_uri !== "string")
    throw new Error("the discovery document names no jwks_uri");
  return document.jwks_uri;
}
