/** The keys that an issuer publishes, kept for a while. */
import type * as jose from "jose";
import { z } from "zod";
import type { Clock } from "../time/clock.ts";
import { RateLimit } from "../time/rate-limit.ts";
import {
  ISSUER_KEYS_AGE_MS,
  ISSUER_RETRY_MS,
  MAX_ISSUER_KEYS,
  UNKNOWN_KEY_RATE,
} from "./limits.ts";
import { fetchFromIssuer, IssuerError } from "./issuer-fetch.ts";
import type { JWTConfig } from "./token-claims.ts";

export interface PublishedKeys {
  /** The key for a token. Throws an error of jose when there is none. */
  readonly keyOf: ReturnType<typeof jose.createLocalJWKSet>;
  /** The thumbprints of the keys with this id, or of all when a token names none. */
  thumbprintsOf(kid: string | undefined): readonly string[];
  has(thumbprint: string): boolean;
}

const discoverySchema = z.object({ issuer: z.string(), jwks_uri: z.string() });
const keySetSchema = z.object({
  keys: z
    .array(z.looseObject({ kty: z.string(), kid: z.string().optional() }))
    .max(MAX_ISSUER_KEYS),
});

export class IssuerKeys {
  readonly #config: JWTConfig;
  readonly #clock: Clock;
  readonly #unknownKeys: RateLimit;
  #keys: { readonly published: PublishedKeys; readonly fetchedAt: number } | undefined;
  #failure: { readonly error: unknown; readonly at: number } | undefined;
  #fetching: Promise<PublishedKeys> | undefined;
  /** Where the keys are, once the issuer was asked. */
  #discovered: string | undefined;

  constructor(config: JWTConfig, clock: Clock) {
    this.#config = config;
    this.#clock = clock;
    this.#unknownKeys = new RateLimit(clock, () => UNKNOWN_KEY_RATE);
  }

  /** Rejects with an IssuerError when the keys cannot be had. */
  async current(): Promise<PublishedKeys> {
    const now = this.#clock.monotonic();
    if (this.#keys !== undefined && now - this.#keys.fetchedAt < ISSUER_KEYS_AGE_MS) {
      return this.#keys.published;
    }
    // Clients that come while the issuer is away must not keep it busy.
    if (this.#failure !== undefined && now - this.#failure.at < ISSUER_RETRY_MS) {
      throw this.#failure.error;
    }
    return this.#fetchOnce();
  }

  /** The keys for a token whose key is unknown, and may be new. Invented keys are not asked for without end. */
  async withNewest(): Promise<PublishedKeys> {
    return this.#unknownKeys.take() ? this.#fetchOnce() : this.current();
  }

  #fetchOnce(): Promise<PublishedKeys> {
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetch(): Promise<PublishedKeys> {
    try {
      const address = this.#config.jwksUri ?? (this.#discovered ??= await this.#discover());
      const parsed = keySetSchema.safeParse(await fetchFromIssuer(address, this.#clock));
      if (!parsed.success) {
        throw new IssuerError(
          `${address} answered what is no key set of at most ${MAX_ISSUER_KEYS} keys`,
        );
      }
      const published = await publishedKeys(parsed.data.keys as jose.JWK[]);
      this.#keys = { published, fetchedAt: this.#clock.monotonic() };
      this.#failure = undefined;
      return published;
    } catch (error) {
      this.#failure = { error, at: this.#clock.monotonic() };
      // The issuer may have moved its keys.
      this.#discovered = undefined;
      throw error;
    }
  }

  /** Asks the issuer where its keys are (OpenID Connect Discovery). */
  async #discover(): Promise<string> {
    const { issuer } = this.#config;
    const address = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const parsed = discoverySchema.safeParse(await fetchFromIssuer(address, this.#clock));
    if (!parsed.success) throw new IssuerError(`${address} answered what names no jwks_uri`);
    if (parsed.data.issuer !== issuer) throw new IssuerError(`${address} is of another issuer`);
    return parsed.data.jwks_uri;
  }
}

async function publishedKeys(keys: jose.JWK[]): Promise<PublishedKeys> {
  const { calculateJwkThumbprint, createLocalJWKSet } = await import("jose");
  const thumbprints = await Promise.all(
    keys.map(async (key) => {
      // A key of a kind that is not known signs no token that is taken.
      const thumbprint = await calculateJwkThumbprint(key).catch(() => undefined);
      return { kid: key.kid, thumbprint };
    }),
  );
  const known = thumbprints.flatMap(({ kid, thumbprint }) =>
    thumbprint === undefined ? [] : [{ kid, thumbprint }],
  );
  const all = new Set(known.map(({ thumbprint }) => thumbprint));
  return {
    keyOf: createLocalJWKSet({ keys }),
    thumbprintsOf: (kid) =>
      known.filter((key) => kid === undefined || key.kid === kid).map((key) => key.thumbprint),
    has: (thumbprint) => all.has(thumbprint),
  };
}
