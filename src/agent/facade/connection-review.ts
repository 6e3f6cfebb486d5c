import type { Log } from "../../observability/log.ts";
import type { Authenticator } from "../../authentication/authenticator.ts";
import type { Credential } from "../../authentication/credential.ts";

/** A connection that may have to be closed before its client leaves. */
export interface Revocable {
  readonly credential: Credential | undefined;
  /** Answers false when that was done before. */
  revoke(reason: string): boolean;
}

export interface ReviewContext {
  /** Answers undefined when the config asks for no authentication. */
  readonly authenticator: () => Authenticator | undefined;
  /** The keys of the gateways that the agent believes now. */
  readonly gatewayKeys: () => readonly string[];
  readonly log: Log;
}

const NO_CREDENTIAL = "a token is needed now";
const NOT_ACCEPTED = "the credential is no longer accepted";

/** Judges the open connections again by what counts now. There is one review at a time, and one more after it at most. */
export class ConnectionReview {
  readonly #connections: Iterable<Revocable>;
  readonly #context: ReviewContext;
  #begun = 0;
  #running: Promise<void> = Promise.resolve();
  #isDue = false;

  constructor(connections: Iterable<Revocable>, context: ReviewContext) {
    this.#connections = connections;
    this.#context = context;
  }

  /** How many reviews there were. A client that was judged before the last one began may have been judged by what counted then. */
  get begun(): number {
    return this.#begun;
  }

  /** Settles when everything was judged that is known now. Never rejects. */
  run(): Promise<void> {
    this.#closeUnproven();
    if (this.#isDue) return this.#running;
    this.#isDue = true;
    this.#running = this.#running.then(async () => {
      this.#isDue = false;
      this.#begun++;
      await this.#judge();
    });
    return this.#running;
  }

  /** Nothing has to be found out about these, so they do not wait for it. */
  #closeUnproven(): void {
    const gatewayKeys = this.#context.gatewayKeys();
    this.#revoke(
      NOT_ACCEPTED,
      (credential) => credential?.kind === "gateway" && !gatewayKeys.includes(credential.publicKey),
    );
    if (this.#context.authenticator() === undefined) return;
    this.#revoke(NO_CREDENTIAL, (credential) => credential === undefined);
  }

  async #judge(): Promise<void> {
    const authenticator = this.#context.authenticator();
    if (authenticator === undefined || this.#isEmpty()) return;
    try {
      const accepts = await authenticator.review();
      // Another one has taken its place, and judges next.
      if (authenticator !== this.#context.authenticator()) return;
      this.#revoke(
        NOT_ACCEPTED,
        // A gateway's word counts as long as the gateway does.
        (credential) =>
          credential === undefined || (credential.kind !== "gateway" && !accepts(credential)),
      );
    } catch (error) {
      this.#context.log.error({ error }, "The open connections could not be judged again");
    }
  }

  #isEmpty(): boolean {
    for (const _connection of this.#connections) return false;
    return true;
  }

  #revoke(reason: string, isRevoked: (credential: Credential | undefined) => boolean): void {
    let revoked = 0;
    for (const connection of this.#connections) {
      if (isRevoked(connection.credential) && connection.revoke(reason)) revoked++;
    }
    if (revoked > 0) {
      this.#context.log.info({ connections: revoked, reason }, "Connections were closed");
    }
  }
}
