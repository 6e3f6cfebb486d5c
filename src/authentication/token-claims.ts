/** Decides by the claims of a token whether it lets a client in. Whether it is signed by the issuer is decided elsewhere. */
import type { AuthConfig } from "../agent-config/agent-config.ts";

export type JWTConfig = NonNullable<AuthConfig["jwt"]>;
export type Claims = Readonly<Record<string, unknown>>;

export interface AcceptedClaims {
  readonly subject: string;
  /** Milliseconds since 1970. From then on the token is taken no more. */
  readonly endsAt: number;
}

/** How far the clocks of the issuer and of this machine may be apart. */
export const CLOCK_SKEW_SECONDS = 60;

/** `now` is in milliseconds since 1970. Answers undefined when the claims let nobody in. */
export function judgeClaims(
  claims: Claims,
  config: JWTConfig,
  now: number,
): AcceptedClaims | undefined {
  const { iss, sub, aud, exp, nbf } = claims;
  if (iss !== config.issuer || typeof sub !== "string" || sub === "") return undefined;
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!config.audiences.some((audience) => audiences.includes(audience))) return undefined;
  if (typeof exp !== "number" || !Number.isFinite(exp)) return undefined;
  const endsAt = (exp + CLOCK_SKEW_SECONDS) * 1_000;
  if (endsAt <= now) return undefined;
  if (nbf !== undefined && !(typeof nbf === "number" && hasBegun(nbf, now))) return undefined;
  const isComplete = Object.entries(config.requiredClaims).every(([claim, expected]) =>
    carries(claims, claim, expected),
  );
  return isComplete ? { subject: `jwt:${JSON.stringify([iss, sub])}`, endsAt } : undefined;
}

function hasBegun(notBefore: number, now: number): boolean {
  return (notBefore - CLOCK_SKEW_SECONDS) * 1_000 <= now;
}

function carries(claims: Claims, claim: string, expected: string): boolean {
  const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
  if (Array.isArray(value)) return value.includes(expected);
  return ["string", "number", "boolean"].includes(typeof value) && String(value) === expected;
}
