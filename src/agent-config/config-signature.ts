/**
 * The signature of the agent config. In a cluster the config is a ConfigMap, which more people may write than Deployments and
 * Secrets. The signature proves to the agent, and to the operator that reads the config back, that the operator wrote it.
 *
 * Ed25519 (RFC 8032) over the canonical JSON of the config without its signature, of the owner's uid and of the secret files.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { canonicalJSON } from "../promptpack/document/content-hash.ts";
import type { AgentConfig } from "./agent-config.ts";

/** The variable of an agent's process that holds the public key, as base64 of its SubjectPublicKeyInfo (DER). */
export const CONFIG_KEY_VARIABLE = "OMNIA_CONFIG_PUBLIC_KEY";

/** What is signed together with the config. */
export interface SignedFacts {
  /** The uid of the AgentRuntime: the config of an agent that was deleted says nothing of another one of its name. */
  readonly uid: string;
  /** The secret files that belong to the config. They are written beside it. */
  readonly secretFiles: unknown;
}

export class ConfigSigner {
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;
  /** For `CONFIG_KEY_VARIABLE`. */
  readonly publicKey: string;

  /** `privateKey`: PKCS #8 (PEM). Throws when it is no Ed25519 key. */
  constructor(privateKey: string) {
    this.#privateKey = createPrivateKey(privateKey);
    if (this.#privateKey.asymmetricKeyType !== "ed25519") {
      throw new TypeError("the key is no Ed25519 key");
    }
    this.#publicKey = createPublicKey(this.#privateKey);
    this.publicKey = this.#publicKey.export({ type: "spki", format: "der" }).toString("base64");
  }

  sign(config: AgentConfig, { uid, secretFiles }: SignedFacts): AgentConfig {
    const signed = { uid, secretFiles: digestOf(secretFiles) };
    const value = sign(undefined, message(config, signed), this.#privateKey).toString("base64");
    return { ...config, signature: { ...signed, value } };
  }

  /** Whether this key signed the config with these facts. */
  hasSigned(config: AgentConfig, { uid, secretFiles }: SignedFacts): boolean {
    return (
      isSignedBy(config, this.#publicKey) &&
      config.signature?.uid === uid &&
      config.signature.secretFiles === digestOf(secretFiles)
    );
  }
}

/** Throws when the text is no public key. */
export function readPublicKey(base64: string): KeyObject {
  return createPublicKey({ key: Buffer.from(base64, "base64"), type: "spki", format: "der" });
}

/** Whether the holder of the private key signed the config, whatever its owner and its secret files are. */
export function isSignedBy(config: AgentConfig, publicKey: KeyObject): boolean {
  const { signature } = config;
  if (signature === undefined) return false;
  const { value, ...signed } = signature;
  return verify(undefined, message(config, signed), publicKey, Buffer.from(value, "base64"));
}

/** The whole SHA-256: a shorter digest could be met by another list of files. */
function digestOf(secretFiles: unknown): string {
  return createHash("sha256").update(canonicalJSON(secretFiles)).digest("base64");
}

function message(config: AgentConfig, signed: { uid: string; secretFiles: string }): Buffer {
  const { signature: _, ...unsigned } = config;
  return Buffer.from(`omnia agent config\n${canonicalJSON([unsigned, signed])}`);
}
