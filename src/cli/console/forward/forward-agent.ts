import { Agent } from "node:http";
import type { Duplex } from "node:stream";

/** Connections that wait for the next request. */
const MAX_FREE = 8;

/** What Node sets of a socket that waits means nothing to a connection through an API server. */
const nothing = (): void => {};
const NO_SETTINGS = { setKeepAlive: nothing, setTimeout: nothing, ref: nothing, unref: nothing };

type Made = (error: Error | null, stream: Duplex) => void;

/** Connects by a function, where Node's own agent would open a socket of this machine. */
export class ForwardAgent extends Agent {
  readonly #connect: () => Promise<Duplex>;

  constructor(connect: () => Promise<Duplex>, { keepAlive }: { readonly keepAlive: boolean }) {
    super({ keepAlive, maxFreeSockets: MAX_FREE });
    this.#connect = connect;
  }

  override createConnection(_options: unknown, callback?: Made): undefined {
    void this.#make(callback);
  }

  async #make(callback: Made | undefined): Promise<void> {
    let stream: Duplex;
    try {
      stream = await this.#connect();
    } catch (error) {
      callback?.(error as Error, undefined as never);
      return;
    }
    callback?.(null, Object.assign(stream, NO_SETTINGS));
  }
}
