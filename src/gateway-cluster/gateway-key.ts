/** The key by which a gateway proves to agents who asks: a file of a mounted Secret, which may be replaced at any time. */
import { readFile } from "node:fs/promises";
import { GatewayTokenSigner, type GatewayRequest } from "../agent-config/gateway-token.ts";
import type { Clock } from "../time/clock.ts";

/** The file is read at most this often. */
const READ_AGAIN_MS = 10_000;

export class GatewayKeyError extends Error {
  override readonly name = "GatewayKeyError";
}

export class GatewayKey {
  readonly #file: string;
  readonly #clock: Clock;
  #signer: Promise<GatewayTokenSigner> | undefined;
  #readAt = 0;

  constructor(file: string, clock: Clock) {
    this.#file = file;
    this.#clock = clock;
  }

  /** Rejects when the file cannot be read or holds no Ed25519 key, and when the subject is too long. */
  async sign(request: GatewayRequest): Promise<string> {
    return (await this.#current()).sign(request);
  }

  /** Rejects with a GatewayKeyError when there is no key to sign with. */
  async check(): Promise<void> {
    try {
      await this.#current();
    } catch (error) {
      const why = (error as Error).message;
      throw new GatewayKeyError(`no key can be read from ${this.#file}: ${why}`, { cause: error });
    }
  }

  #current(): Promise<GatewayTokenSigner> {
    const now = this.#clock.monotonic();
    if (this.#signer !== undefined && now - this.#readAt < READ_AGAIN_MS) return this.#signer;
    this.#readAt = now;
    const before = this.#signer;
    const reading = this.#read().catch((error: unknown) => {
      // While a file is replaced it may be missing for a moment: the key before is believed still.
      if (before !== undefined) return before;
      this.#signer = undefined;
      throw error;
    });
    this.#signer = reading;
    return reading;
  }

  async #read(): Promise<GatewayTokenSigner> {
    return new GatewayTokenSigner(await readFile(this.#file, "utf8"), this.#clock);
  }
}
