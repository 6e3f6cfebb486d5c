import { once } from "node:events";
import { WebSocket } from "ws";

/** A client that does as little as it can, so that what is measured is the server. */
export class TurnClient {
  readonly #socket: WebSocket;
  /** Of the last `connected`; the bare echo server sends none. */
  sessionId: string | undefined;
  #onDone: () => void = () => {};
  #onChunk: (() => void) | undefined;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data: Buffer) => {
      // The type is the first field of every frame; the bare echo server sends the message back.
      const head = data.toString("latin1", 0, 24);
      if (head.startsWith('{"type":"done"') || head.startsWith('{"type":"message"')) this.#onDone();
      else if (head.startsWith('{"type":"chunk"')) this.#onChunk?.();
      else if (head.startsWith('{"type":"connected"')) {
        this.sessionId = (JSON.parse(data.toString()) as { session_id: string }).session_id;
      } else if (head.startsWith('{"type":"error"')) throw new Error(data.toString());
    });
  }

  /** Goes on with the session, when one is named. A gateway wants to know which agent of namespace `team` is meant. */
  static async connect(port: number, sessionId?: string, agent?: string): Promise<TurnClient> {
    const query = new URLSearchParams();
    if (sessionId !== undefined) query.set("session_id", sessionId);
    if (agent !== undefined) query.set("agent", agent);
    if (agent !== undefined) query.set("namespace", "team");
    const url = `ws://127.0.0.1:${port}/?${query.toString()}`;
    const socket = new WebSocket(url, { perMessageDeflate: false });
    const client = new TurnClient(socket);
    await once(socket, "open");
    return client;
  }

  /** Settles with the end of the turn. */
  async turn(content: string): Promise<void> {
    const done = new Promise<void>((resolve) => (this.#onDone = resolve));
    this.#socket.send(JSON.stringify({ type: "message", content }));
    await done;
  }

  /** Settles with the end of the turn; answers the milliseconds to its first chunk. */
  async firstChunk(content: string): Promise<number> {
    const started = performance.now();
    let firstChunk: number | undefined;
    this.#onChunk = () => (firstChunk ??= performance.now() - started);
    await this.turn(content);
    this.#onChunk = undefined;
    if (firstChunk === undefined) throw new Error("the turn had no chunk");
    return firstChunk;
  }

  close(): void {
    this.#socket.terminate();
  }
}
