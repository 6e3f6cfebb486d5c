import type { Endpoint } from "./choose-replica.ts";

/** Once this many replicas are known, those that have gone are forgotten. */
const MAX_REMEMBERED_ENDPOINTS = 1_024;

interface Load {
  connections: number;
  lastChosen: number;
}

/** Counts the connections to each replica. */
export class ConnectionBook {
  #open = 0;
  #choices = 0;
  readonly #loads = new Map<string, Load>();

  /** How many connections are open now, over all endpoints. */
  get open(): number {
    return this.#open;
  }

  load(endpointId: string): Readonly<Load> {
    return this.#loads.get(endpointId) ?? { connections: 0, lastChosen: 0 };
  }

  /** Counts a connection before it is made, so that many that come at once are spread. Dispose of the answer when it ends. */
  enter(endpoint: Endpoint): Disposable {
    let load = this.#loads.get(endpoint.id);
    if (load === undefined) {
      this.#forgetIdle();
      load = { connections: 0, lastChosen: 0 };
      this.#loads.set(endpoint.id, load);
    }
    const entered = load;
    this.#open += 1;
    this.#choices += 1;
    entered.connections += 1;
    entered.lastChosen = this.#choices;
    return {
      [Symbol.dispose]: () => {
        this.#open -= 1;
        entered.connections -= 1;
      },
    };
  }

  #forgetIdle(): void {
    if (this.#loads.size < MAX_REMEMBERED_ENDPOINTS) return;
    for (const [id, load] of this.#loads) if (load.connections === 0) this.#loads.delete(id);
  }
}
