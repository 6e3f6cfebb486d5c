/**
 * The token by which a gateway proves to an agent who asks and what for. The gateway makes one for each request that it sends on,
 * after it decided what the caller may do; the agent believes what the token says and asks nobody.
 *
 * A compact JWS (RFC 7515) with an Ed25519 signature. Its key signs nothing else, and its header is always the same text, so that no
 * other algorithm can be asked for.
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { z } from "zod";
import type { Clock } from "../time/clock.ts";
import { readPublicKey } from "./config-signature.ts";

/** The header of a request that has the token. A gateway takes it out of what its clients send. */
export const GATEWAY_TOKEN_HEADER = "x-omnia-gateway-token";

/**
 * What a token can allow at one agent: a subresource of `agentruntimes` that exists for the rights of callers alone, and a verb.
 * `replica:get` is the one that asks for no right of its own, since it tells no more than the agent's status does, and to the gateway
 * alone whether a session is there whose id a client has named.
 */
export const GATEWAY_VERBS = [
  "chat:create",
  "sessions:get",
  "sessions:create",
  "sessions:delete",
  "toolcalls:create",
  "replica:get",
] as const;
export type GatewayVerb = (typeof GATEWAY_VERBS)[number];

/** How long a token is taken. It has to reach the agent once. */
export const GATEWAY_TOKEN_LIFETIME_SECONDS = 60;
/** How far the clocks of a gateway and of an agent may be apart. */
export const GATEWAY_CLOCK_SKEW_SECONDS = 30;
/** A subject is a name of a person or of a program, and fits well into it. */
const MAX_SUBJECT_CHARACTERS = 1_024;
const MAX_TOKEN_CHARACTERS = 8_192;

const HEADER = encode({ alg: "EdDSA", typ: "omnia-gateway+jwt" });

const claimsSchema = z.strictObject({
  /** The agent, as `namespace/name`. */
  aud: z.string(),
  sub: z.string().min(1).max(MAX_SUBJECT_CHARACTERS).optional(),
  verbs: z.array(z.string()).max(GATEWAY_VERBS.length),
  iat: z.int(),
  exp: z.int(),
  /** When what the caller was let in with ends, where it does by itself. In seconds since 1970. */
  sub_exp: z.number().optional(),
});

/** Who asks what of which agent. */
export interface GatewayRequest {
  /** The agent, as `namespace/name`. */
  readonly agent: string;
  /** Who the caller is. Undefined where callers do not say who they are. */
  readonly subject?: string | undefined;
  /** Milliseconds since 1970: when what the caller was let in with ends. A connection is closed then. */
  readonly subjectEndsAt?: number | undefined;
  readonly verbs: readonly GatewayVerb[];
}

/** What an agent learns from a valid token. */
export interface GatewayCaller {
  readonly subject: string | undefined;
  /** Milliseconds since 1970. Undefined: it does not end by itself. */
  readonly subjectEndsAt: number | undefined;
  readonly verbs: ReadonlySet<GatewayVerb>;
  /** The key that signed, as in the agent config. */
  readonly publicKey: string;
}

export type GatewayTokenProblem =
  | "malformed"
  | "wrong signature"
  | "for another agent"
  | "expired"
  | "not valid yet"
  | "valid for too long";

export type GatewayTokenVerdict =
  | { readonly ok: true; readonly caller: GatewayCaller }
  | { readonly ok: false; readonly problem: GatewayTokenProblem };

export class GatewayTokenSigner {
  readonly #privateKey: KeyObject;
  readonly #clock: Pick<Clock, "now">;
  /** For `gateway.publicKeys` of agent configs: base64 of the SubjectPublicKeyInfo (DER). */
  readonly publicKey: string;

  /** `privateKey`: PKCS #8 (PEM). Throws when it is no Ed25519 key. */
  constructor(privateKey: string, clock: Pick<Clock, "now">) {
    this.#privateKey = readPrivateKey(privateKey);
    this.#clock = clock;
    this.publicKey = gatewayPublicKey(privateKey);
  }

  /** Throws when the subject is empty or too long. */
  sign({ agent, subject, subjectEndsAt, verbs }: GatewayRequest): string {
    const iat = Math.floor(this.#clock.now() / 1_000);
    const exp = iat + GATEWAY_TOKEN_LIFETIME_SECONDS;
    const sub_exp = subjectEndsAt === undefined ? undefined : subjectEndsAt / 1_000;
    const claims = claimsSchema.parse({ aud: agent, sub: subject, verbs, iat, exp, sub_exp });
    const signed = `${HEADER}.${encode(claims)}`;
    return `${signed}.${sign(undefined, Buffer.from(signed), this.#privateKey).toString("base64url")}`;
  }
}

/** What agents believe of a gateway that has this key: PKCS #8 (PEM). Throws when it is no Ed25519 key. */
export function gatewayPublicKey(privateKey: string): string {
  const publicKey = createPublicKey(readPrivateKey(privateKey));
  return publicKey.export({ type: "spki", format: "der" }).toString("base64");
}

function readPrivateKey(text: string): KeyObject {
  const key = parsePrivateKey(text);
  if (key?.asymmetricKeyType !== "ed25519") throw new TypeError("the key is no Ed25519 key");
  return key;
}

/** What the parser says of a text that is no key may quote it. */
function parsePrivateKey(text: string): KeyObject | undefined {
  try {
    return createPrivateKey(text);
  } catch {
    return undefined;
  }
}

export interface GatewayTokenExpectation {
  /** As in the agent config. A text that is no Ed25519 key signed nothing. */
  readonly publicKeys: readonly string[];
  /** The agent that judges, as `namespace/name`. */
  readonly agent: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** A verb that this version does not know is left out, so that a newer gateway can ask for more. */
export function verifyGatewayToken(
  token: string,
  { publicKeys, agent, now }: GatewayTokenExpectation,
): GatewayTokenVerdict {
  if (token.length > MAX_TOKEN_CHARACTERS) return refused("malformed");
  const [header, payload, signature, ...rest] = token.split(".");
  if (header !== HEADER || payload === undefined || signature === undefined || rest.length > 0) {
    return refused("malformed");
  }
  const signed = Buffer.from(`${header}.${payload}`);
  const signatureBytes = Buffer.from(signature, "base64url");
  // Decoding skips characters that do not belong there; a token is one text only.
  if (signatureBytes.toString("base64url") !== signature) return refused("malformed");
  const publicKey = publicKeys.find((key) => isSignedBy(key, signed, signatureBytes));
  if (publicKey === undefined) return refused("wrong signature");
  const claims = readClaims(payload);
  if (claims === undefined) return refused("malformed");
  if (claims.aud !== agent) return refused("for another agent");
  if (claims.exp - claims.iat > GATEWAY_TOKEN_LIFETIME_SECONDS) {
    return refused("valid for too long");
  }
  if ((claims.exp + GATEWAY_CLOCK_SKEW_SECONDS) * 1_000 <= now) return refused("expired");
  if ((claims.iat - GATEWAY_CLOCK_SKEW_SECONDS) * 1_000 > now) return refused("not valid yet");
  const verbs = new Set(GATEWAY_VERBS.filter((verb) => claims.verbs.includes(verb)));
  const subjectEndsAt = claims.sub_exp === undefined ? undefined : claims.sub_exp * 1_000;
  return { ok: true, caller: { subject: claims.sub, subjectEndsAt, verbs, publicKey } };
}

function isSignedBy(publicKey: string, signed: Buffer, signature: Buffer): boolean {
  const key = ed25519Key(publicKey);
  return key !== undefined && verify(undefined, signed, key, signature);
}

function ed25519Key(publicKey: string): KeyObject | undefined {
  try {
    const key = readPublicKey(publicKey);
    return key.asymmetricKeyType === "ed25519" ? key : undefined;
  } catch {
    return undefined;
  }
}

function readClaims(payload: string): z.output<typeof claimsSchema> | undefined {
  try {
    return claimsSchema.parse(JSON.parse(Buffer.from(payload, "base64url").toString()));
  } catch {
    return undefined;
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function refused(problem: GatewayTokenProblem): GatewayTokenVerdict {
  return { ok: false, problem };
}
