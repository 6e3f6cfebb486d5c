/** What a client was let in with, as far as it takes to judge the client again later. It does not contain the token. */
export type Credential = APIKeyCredential | JWTCredential;

export interface APIKeyCredential {
  readonly kind: "api-key";
  /** Who the client is. Its sessions belong to this subject. */
  readonly subject: string;
  readonly client: string;
  /** The SHA-256 of the key, in base64. */
  readonly digest: string;
}

export interface JWTCredential {
  readonly kind: "jwt";
  /** Who the client is, with the issuer that says so. */
  readonly subject: string;
  /** What the token says, which was signed by one of these keys. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** The thumbprints (RFC 7638) of the published keys that may have signed the token. */
  readonly keys: readonly string[];
  /** Milliseconds since 1970. From then on the token is taken no more. */
  readonly endsAt: number;
}

/** Who the client is to the tools that ask for it: the `sub` of its token, or the name of its API key. */
export function callerSubjectOf(credential: Credential): string {
  return credential.kind === "jwt" ? String(credential.claims["sub"]) : credential.client;
}
