/** Whether what the page shows is what is. One for the whole page: the stream of changes writes it, and whoever shows it follows it. */
import { useSyncExternalStore } from "react";

export type LiveState =
  | { readonly status: "connecting" }
  | { readonly status: "live" }
  /** `retryAt` and `lostAt` are milliseconds since 1970. Nothing came yet where `lostAt` is missing. */
  | {
      readonly status: "reconnecting";
      readonly retryAt: number;
      readonly lostAt: number | undefined;
    }
  /** The API wants a token, or another one. */
  | {
      readonly status: "signed-out";
      readonly message: string;
      /** How to come by one. */
      readonly cure: string | undefined;
    };

export class LiveStore {
  #state: LiveState = { status: "connecting" };
  readonly #listeners = new Set<() => void>();

  get state(): LiveState {
    return this.#state;
  }

  set(state: LiveState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}

export const live = new LiveStore();

export function useLive(): LiveState {
  return useSyncExternalStore(live.subscribe, () => live.state);
}
