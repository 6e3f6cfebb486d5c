/**
 * Keeps a connection to one address by connecting again. Each connection begins with the greeting of the server. The line knows
 * when to try again and when to give up. It does not know what is said over it.
 */
import { CLOSE_UNAUTHORIZED } from "../close-codes.ts";
import type { ConnectedFrame } from "../frames.ts";
import { ClientError } from "./client-error.ts";
import {
  finalError,
  isTimeToGiveUp,
  pauseBefore,
  type ReconnectPolicy,
} from "./reconnect-policy.ts";
import type {
  ClientConnection,
  ConnectionEnd,
  ConnectionEvents,
  TokenProvider,
  Transport,
} from "./transport.ts";

export interface ClientClock {
  monotonic(): number;
  setTimer(ms: number, callback: () => void): ClientTimer;
}
export interface ClientTimer {
  cancel(): void;
}

export interface LineOptions {
  readonly transport: Transport;
  readonly token?: TokenProvider | undefined;
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
  /** Undefined while the token for it is awaited. */
  connection: ClientConnection | undefined;
  greetedAt: number | undefined;
}

const DROPPED = new ClientError("unreachable", "The connection drops again and again.", {
  temporary: true,
});
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
  /** The server refused what the last connection was made with. */
  #isRefused = false;
  #wasGreeted = false;

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
    this.#current?.connection?.send(text);
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#current?.connection?.close();
    this.#current = undefined;
  }

  open(): void {
    const { clock, policy } = this.#options;
    this.#timer?.cancel();
    const current: Current = { greetedAt: undefined, connection: undefined };
    this.#current = current;
    void this.#connect(current, this.#url);
    this.#timer = clock.setTimer(policy.greetingMs, () => {
      const message = "The server did not greet as an agent does.";
      this.#hangUp(new ClientError("timeout", message, { temporary: true }));
    });
  }

  async #connect(current: Current, url: string): Promise<void> {
    const { transport, token } = this.#options;
    const isCurrent = (): boolean => this.#current === current;
    let credential: string | undefined;
    try {
      credential = await token?.(this.#isRefused);
    } catch (error) {
      if (isCurrent()) this.#lost({ code: CLOSE_LOST, error: noToken(error) });
      return;
    }
    if (!isCurrent()) return;
    const events: ConnectionEvents = {
      onText: (text) => {
        if (!isCurrent()) return;
        if (current.greetedAt === undefined) this.#greeted(current, text);
        else this.#events.onText(text);
      },
      onEnd: (end) => {
        if (isCurrent()) this.#lost(end);
      },
    };
    try {
      current.connection = transport.open(url, events, credential);
    } catch (cause) {
      // The address or the token is of a form that no connection can be opened with.
      const error = new ClientError("unreachable", "The connection cannot be opened.", { cause });
      this.#lost({ code: CLOSE_LOST, error });
    }
  }

  #greeted(current: Current, text: string): void {
    const greeting = this.#events.readGreeting(text);
    if (greeting instanceof ClientError) {
      this.#hangUp(greeting);
      return;
    }
    current.greetedAt = this.#options.clock.monotonic();
    this.#wasGreeted = true;
    this.#timer?.cancel();
    if (!this.#isAwaited) this.#trouble = undefined;
    this.#events.onGreeting(greeting, text);
  }

  /** Ends a connection that is of no use. */
  #hangUp(error: ClientError): void {
    this.#current?.connection?.close();
    this.#lost({ code: CLOSE_LOST, error });
  }

  #lost(end: ConnectionEnd): void {
    const { code, error } = end;
    const { clock, random, policy } = this.#options;
    const greetedAt = this.#current?.greetedAt;
    this.#current = undefined;
    this.#timer?.cancel();
    if (this.#isClosed) return;
    const wasGood = greetedAt !== undefined && clock.monotonic() - greetedAt > policy.longestMs;
    if (greetedAt !== undefined && !isRefusal(end)) this.#isRefused = false;
    const final = this.#finalErrorOf(end, wasGood);
    if (final !== undefined) {
      this.#giveUp(final);
      return;
    }
    // The connection was good for a while, so this is a new trouble.
    if (wasGood) this.fare();
    const trouble = this.#begin();
    trouble.error = error ?? (isRefusal(end) ? refused(end) : DROPPED);
    if (isTimeToGiveUp(trouble, clock.monotonic(), policy)) {
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

  /**
   * Why connecting again would be no use, or `undefined`. A refusal of the credential is tried again once, with a token that is
   * asked for anew.
   */
  #finalErrorOf(end: ConnectionEnd, wasGood: boolean): ClientError | undefined {
    const { code, error } = end;
    if (!isRefusal(end)) {
      return error === undefined ? finalError(code) : error.temporary ? undefined : error;
    }
    const isAgain = this.#isRefused && !wasGood;
    this.#isRefused = true;
    const mayHelp = this.#options.token !== undefined && this.#wasGreeted && !isAgain;
    return mayHelp ? undefined : (error ?? refused(end));
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

function isRefusal({ code, error }: ConnectionEnd): boolean {
  return code === CLOSE_UNAUTHORIZED || error?.code === "unauthorized";
}

function refused({ code, reason }: ConnectionEnd): ClientError {
  const why = reason ? `: ${reason}` : "";
  return new ClientError("unauthorized", `The server does not accept this client${why} (${code}).`);
}

function noToken(cause: unknown): ClientError {
  if (cause instanceof ClientError) return cause;
  return new ClientError("unauthorized", "The token for the connection could not be had.", {
    cause,
  });
}
