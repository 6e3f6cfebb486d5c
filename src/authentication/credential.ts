/** What a client was let in with, as far as it takes to judge the client again later. It does not contain the token. */
export type Credential = APIKeyCredential | JWTCredential | GatewayCredential;

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

/** A gateway let the client in, and proved to the agent who it is. */
export interface GatewayCredential {
  readonly kind: "gateway";
  /** Who the client is, and that a gateway says so. */
  readonly subject: string;
  /** Who the client is, as the gateway knows it. */
  readonly caller: string;
  /** The key of the gateway, as in the agent config. */
  readonly publicKey: string;
  /** Milliseconds since 1970, when what the gateway let the client in with ends. Undefined: it does not end by itself. */
  readonly endsAt: number | undefined;
}

/** Who the client is to the tools that ask for it: the `sub` of its token, the name of its API key, or what the gateway calls it. */
export function callerSubjectOf(credential: Credential): string {
  switch (credential.kind) {
    case "jwt":
      return String(credential.claims["sub"]);
    case "api-key":
      return credential.client;
    case "gateway":
      return credential.caller;
  }
}
