/** Someone who talks in one session over lines that break, and keeps what was heard. */
import { WebSocket } from "ws";
import { systemClock } from "../../src/time/clock.ts";
import { SessionClient, type TurnEnd } from "../../src/protocol/client/session-client.ts";
import type { ConnectionEvents, Transport } from "../../src/protocol/client/transport.ts";
import type { ServerFrame, TurnFrame } from "../../src/protocol/frames.ts";
import type { SurvivalRandom } from "./random.ts";
import { messageOf, type SurvivalTurn } from "./turn.ts";

export interface Talk {
  readonly turn: SurvivalTurn;
  readonly end: TurnEnd;
}

/** Where a connection may lead to. */
export interface OfferedReplica {
  readonly url: string;
  readonly isOffered: boolean;
}

/** How often the line breaks just when a message was sent. */
const LOSS_AT_MESSAGE = 0.1;

export class SurvivalTalker {
  readonly random: SurvivalRandom;
  readonly talks: Talk[] = [];
  /** The frames of turns, as they were given on. */
  readonly frames: TurnFrame[] = [];
  readonly errorCodes: string[] = [];
  connections = 0;
  resumes = 0;
  #client: SessionClient | undefined;
  #socket: WebSocket | undefined;

  constructor(random: SurvivalRandom) {
    this.random = random;
  }

  get sessionId(): string {
    return this.#client?.sessionId ?? "";
  }

  /** To any of the replicas, and whenever the line has broken, to any of them again. */
  async connect(replicas: readonly OfferedReplica[], signal: AbortSignal): Promise<void> {
    let messages = 0;
    const name = Math.floor(this.random.next() * 2 ** 32).toString(36);
    this.#client = await SessionClient.connect(
      {
        url: "ws://any-replica",
        transport: this.#transport(replicas),
        clock: systemClock,
        random: () => this.random.next(),
        newMessageId: () => `${name}-${++messages}`,
        onFrame: (frame) => this.#hear(frame),
      },
      signal,
    );
  }

  async talk(turn: SurvivalTurn, signal: AbortSignal): Promise<void> {
    if (this.#client === undefined) throw new Error("there is no connection yet");
    const ending = this.#client.turn(messageOf(turn), signal);
    // The client cannot know then whether its message arrived.
    if (this.random.next() < LOSS_AT_MESSAGE)
      setTimeout(() => this.loseConnection(), this.random.between(0, 10));
    const end = await ending;
    this.talks.push({ turn, end });
  }

  /** The line breaks; what is on its way, in either direction, is lost. */
  loseConnection(): void {
    this.#socket?.terminate();
  }

  close(): void {
    this.#client?.close();
    this.#socket?.terminate();
  }

  #hear(frame: ServerFrame | undefined): void {
    if (frame === undefined) return;
    if (frame.type === "connected") {
      if (frame.resumed) this.resumes += 1;
    } else if ("seq" in frame) {
      this.frames.push(frame);
    }
    if (frame.type === "error") this.errorCodes.push(frame.error.code);
  }

  #transport(replicas: readonly OfferedReplica[]): Transport {
    return {
      open: (_url: string, events: ConnectionEvents) => {
        this.connections += 1;
        const { url } = this.random.pick(replicas.filter(({ isOffered }) => isOffered));
        const socket = new WebSocket(url, { perMessageDeflate: false });
        this.#socket = socket;
        socket.on("message", (data: Buffer) => events.onText(data.toString()));
        // What goes wrong shows as the end of the connection.
        socket.on("error", () => {});
        socket.on("close", (code) => events.onEnd({ code }));
        return {
          send: (text) => {
            if (socket.readyState === WebSocket.OPEN) socket.send(text, () => {});
          },
          close: () => socket.close(1000),
        };
      },
    };
  }
}
