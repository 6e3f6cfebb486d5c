import { onTestFinished } from "vitest";
import { WebSocket, type ClientOptions } from "ws";
import type { ServerFrame } from "../../../src/protocol/frames.ts";
import { parseServerFrame } from "../../../src/protocol/server-frame.ts";
import { systemClock } from "../../../src/time/clock.ts";
import { LATE, within } from "../../../src/time/within.ts";

/** Longer than any frame takes, and shorter than a test may: what came until then says more than that the test took too long. */
const PATIENCE_MS = 90_000;
const SHOWN_FRAMES = 3;
const SHOWN_CHARACTERS = 200;

/** Runs something when the test has ended. A test that runs beside others has one of its own, in its context. */
export type AtTheEnd = (cleanUp: () => void | Promise<void>) => void;

export interface ChatClientOptions extends ClientOptions {
  protocols?: string[];
  atTheEnd?: AtTheEnd;
}

type FrameOf<Type extends ServerFrame["type"]> = Extract<ServerFrame, { type: Type }>;

/** A WebSocket client that keeps every frame it gets, and fails on one that is none. */
export class ChatClient {
  readonly socket: WebSocket;
  readonly frames: ServerFrame[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  #read = 0;
  #wake: (() => void) | undefined;
  #problem: Error | undefined;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("message", (data: Buffer) => {
      const parsed = parseServerFrame(data.toString());
      if (parsed.ok) this.frames.push(parsed.frame);
      else this.#problem = new Error(`${parsed.problem}: ${data.toString()}`);
      this.#wake?.();
    });
    this.closed = new Promise((resolve) => {
      socket.on("close", (code, reason) => {
        this.#problem ??= new Error(`the connection was closed with ${code}`);
        this.#wake?.();
        resolve({ code, reason: reason.toString() });
      });
    });
  }

  /** Rejects with the status of the answer when the server refuses. */
  static async connect(url: string, options: ChatClientOptions = {}): Promise<ChatClient> {
    const { protocols = [], atTheEnd = onTestFinished, ...clientOptions } = options;
    const socket = new WebSocket(url, protocols, clientOptions);
    const client = new ChatClient(socket);
    atTheEnd(() => socket.terminate());
    await new Promise<void>((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    });
    socket.on("error", () => {});
    return client;
  }

  send(frame: object | string): void {
    this.socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  say(content: string, more: object = {}): void {
    this.send({ type: "message", content, ...more });
  }

  /** The next frame that was not read yet. */
  async next(): Promise<ServerFrame> {
    for (;;) {
      const frame = this.frames[this.#read];
      if (frame !== undefined) {
        this.#read++;
        return frame;
      }
      if (this.#problem !== undefined) throw this.#problem;
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      if ((await within(PATIENCE_MS, woken, systemClock)) === LATE) throw this.#nothingCame();
    }
  }

  #nothingCame(): Error {
    const last = this.frames.slice(-SHOWN_FRAMES).map((frame) => {
      const { session_id: _session, timestamp: _timestamp, ...shown } = frame;
      return JSON.stringify(shown).slice(0, SHOWN_CHARACTERS);
    });
    return new Error(`no frame came for ${PATIENCE_MS / 1_000} s after: ${last.join(" ")}`);
  }

  /** Reads on to the next frame of this type. */
  async nextOf<Type extends ServerFrame["type"]>(type: Type): Promise<FrameOf<Type>> {
    for (;;) {
      const frame = await this.next();
      if (frame.type === type) return frame as FrameOf<Type>;
    }
  }

  /** Says it and reads on to the end of the turn. */
  async ask(content: string, more: object = {}): Promise<FrameOf<"done">> {
    this.say(content, more);
    return await this.nextOf("done");
  }
}
