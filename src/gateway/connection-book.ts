import type { Endpoint } from "./route.ts";

/** Replicas that have gone are forgotten once this many are known. */
const MAX_REMEMBERED_ENDPOINTS = 1_024;

interface Load {
  connections: number;
  lastChosen: number;
}

/** Who is connected to which replica. */
export class ConnectionBook {
  #open = 0;
  #choices = 0;
  readonly #loads = new Map<string, Load>();

  /** Connections open now, over all endpoints. */
  get open(): number {
    return this.#open;
  }

  load(endpointId: string): Readonly<Load> {
    return this.#loads.get(endpointId) ?? { connections: 0, lastChosen: 0 };
  }

  /** Counts a connection from before it is made, so that many that come at once spread. Returns its end. */
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
