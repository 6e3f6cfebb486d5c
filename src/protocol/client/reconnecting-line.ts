/**
 * Keeps a connection to one address by connecting again. Each connection begins with the greeting of the server. The line knows
 * when to try again and when to give up. It does not know what is said over it.
 */
import type { ConnectedFrame } from "../frames.ts";
import { ClientError } from "./client-error.ts";
import { finalError, pauseBefore, type ReconnectPolicy } from "./reconnect-policy.ts";
import type { ClientConnection, ConnectionEnd, Transport } from "./transport.ts";

export interface ClientClock {
  monotonic(): number;
  setTimer(ms: number, callback: () => void): ClientTimer;
}
export interface ClientTimer {
  cancel(): void;
}

export interface LineOptions {
  readonly transport: Transport;
  readonly clock: ClientClock;
  readonly random: () => number;
  readonly policy: ReconnectPolicy;
}

export interface LineEvents {
  /** Reads the first frame of a connection. */
  readGreeting(text: string): ConnectedFrame | ClientError;
  onGreeting(greeting: ConnectedFrame, text: string): void;
  /** Called for each frame after the greeting. */
  onText(text: string): void;
  /** The connection is lost, and will be tried again. */
  onLost(error: ClientError): void;
  /** The line does not try again by itself. */
  onGivenUp(error: ClientError): void;
}

/** When the trouble began, how many tries there were since, and what went wrong last. */
interface Trouble {
  readonly since: number;
  tries: number;
  error: ClientError;
}

interface Current {
  readonly connection: ClientConnection;
  greetedAt: number | undefined;
}

const DROPPED = new ClientError("unreachable", "The connection drops again and again.");
const CLOSE_LOST = 1006;

export class ReconnectingLine {
  readonly #options: LineOptions;
  readonly #events: LineEvents;
  /** The open connection, or the one that is being opened. */
  #current: Current | undefined;
  #url = "";
  #isClosed = false;
  /** Somebody waits for an answer. */
  #isAwaited = false;
  /** Limits the wait for a greeting, or ends the wait for the next try. */
  #timer: ClientTimer | undefined;
  #trouble: Trouble | undefined;

  constructor(options: LineOptions, events: LineEvents) {
    this.#options = options;
    this.#events = events;
  }

  /** The server has greeted. */
  get isOpen(): boolean {
    return this.#current?.greetedAt !== undefined;
  }

  /** Sets the address of later connections. */
  set url(url: string) {
    this.#url = url;
  }

  /** An answer is awaited from now on. What went wrong before does not count. */
  awaitAnswer(): void {
    this.#isAwaited = true;
    this.#trouble = undefined;
    if (this.#current !== undefined) return;
    this.#begin();
    this.open();
  }

  stopAwaiting(): void {
    this.#isAwaited = false;
  }

  /** Something that was waited for came, so the trouble is over. */
  fare(): void {
    this.#trouble = undefined;
  }

  send(text: string): void {
    this.#current?.connection.send(text);
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#current?.connection.close();
    this.#current = undefined;
  }

  open(): void {
    const { transport, clock, policy } = this.#options;
    this.#timer?.cancel();
    const isCurrent = (): boolean => this.#current === current;
    const current: Current = {
      greetedAt: undefined,
      connection: transport.open(this.#url, {
        onText: (text) => {
          if (!isCurrent()) return;
          if (current.greetedAt === undefined) this.#greeted(current, text);
          else this.#events.onText(text);
        },
        onEnd: (end) => {
          if (isCurrent()) this.#lost(end);
        },
      }),
    };
    this.#current = current;
    this.#timer = clock.setTimer(policy.greetingMs, () => {
      const message = "The server did not greet as an agent does.";
      this.#hangUp(new ClientError("timeout", message, { temporary: true }));
    });
  }

  #greeted(current: Current, text: string): void {
    const greeting = this.#events.readGreeting(text);
    if (greeting instanceof ClientError) {
      this.#hangUp(greeting);
      return;
    }
    current.greetedAt = this.#options.clock.monotonic();
    this.#timer?.cancel();
    if (!this.#isAwaited) this.#trouble = undefined;
    this.#events.onGreeting(greeting, text);
  }

  /** Ends a connection that is of no use. */
  #hangUp(error: ClientError): void {
    this.#current?.connection.close();
    this.#lost({ code: CLOSE_LOST, error });
  }

  #lost({ code, error }: ConnectionEnd): void {
    const { clock, random, policy } = this.#options;
    const greetedAt = this.#current?.greetedAt;
    this.#current = undefined;
    this.#timer?.cancel();
    if (this.#isClosed) return;
    const final = error === undefined ? finalError(code) : error.temporary ? undefined : error;
    if (final !== undefined) {
      this.#giveUp(final);
      return;
    }
    // The connection was good for a while, so this is a new trouble.
    if (greetedAt !== undefined && clock.monotonic() - greetedAt > policy.longestMs) this.fare();
    const trouble = this.#begin();
    trouble.error = error ?? DROPPED;
    if (trouble.tries > 0 && clock.monotonic() - trouble.since >= policy.limitMs) {
      this.#giveUp(trouble.error);
      return;
    }
    this.#events.onLost(trouble.error);
    const next = {
      tries: trouble.tries,
      closeCode: code,
      retryAfterMs: error?.retryAfterMs,
      awaited: this.#isAwaited,
    };
    trouble.tries += 1;
    this.#timer = clock.setTimer(pauseBefore(next, policy, random()), () => this.open());
  }

  #begin(): Trouble {
    const since = this.#options.clock.monotonic();
    return (this.#trouble ??= { since, tries: 0, error: DROPPED });
  }

  #giveUp(error: ClientError): void {
    this.#trouble = undefined;
    this.#events.onGivenUp(error);
  }
}
