/**
 * The changes of the resources, numbered. The newest ones are kept, so that whoever follows them, slow or after a break, gets what was
 * missed, or learns that this is not known any more. Nothing waits here for anybody: each follower reads when it can.
 */
import type { EventView } from "../../../http-api/resource-views.ts";
import type { ResourceChange, ResourceName, ResourceSource } from "../../resource-source.ts";

export const MAX_KEPT_CHANGES = 1_000;

export type Change =
  | { readonly type: "changed"; readonly name: ResourceName }
  | { readonly type: "removed"; readonly name: ResourceName }
  | { readonly type: "event"; readonly name: ResourceName; readonly event: EventView };

export type NumberedChange = Change & { readonly number: number };

export class ChangeLog implements Disposable {
  /** Names this log. The numbers of another one mean nothing here. */
  readonly #id: string;
  readonly #listening: Disposable;
  readonly #waiting = new Set<() => void>();
  /** Oldest first. */
  #kept: NumberedChange[] = [];
  #last = 0;

  constructor(source: Pick<ResourceSource, "listen">, id: string) {
    this.#id = id;
    this.#listening = source.listen((change) => this.#add(change));
  }

  /** The number of the newest change; 0 before the first one. */
  get last(): number {
    return this.#last;
  }

  /** The text by which a follower names the change that it had last. */
  cursorOf(number: number): string {
    return `${this.#id}-${number}`;
  }

  /** `undefined` when what came after the cursor is not known any more, or never was. */
  readCursor(cursor: string): number | undefined {
    const [, id, digits] = /^(.+)-(\d{1,15})$/.exec(cursor) ?? [];
    const number = Number(digits);
    return id === this.#id && number <= this.#last && this.#reaches(number) ? number : undefined;
  }

  /** The changes after a number, without those that a later one of the same resource makes needless. `undefined`: not known any more. */
  after(number: number): NumberedChange[] | undefined {
    if (!this.#reaches(number)) return undefined;
    const newer = this.#kept.filter((change) => change.number > number);
    const newest = new Map<string, number>();
    for (const change of newer) {
      if (change.type !== "event") newest.set(keyOf(change.name), change.number);
    }
    return newer.filter(
      (change) => change.type === "event" || newest.get(keyOf(change.name)) === change.number,
    );
  }

  /** Settles when there is a change after the number, or when the signal aborts. */
  async wait(number: number, signal: AbortSignal): Promise<void> {
    if (this.#last > number || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => resolve();
    this.#waiting.add(wake);
    signal.addEventListener("abort", wake, { once: true });
    await promise;
    signal.removeEventListener("abort", wake);
    this.#waiting.delete(wake);
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
  }

  #reaches(number: number): boolean {
    return number >= (this.#kept[0]?.number ?? this.#last + 1) - 1;
  }

  #add({ changed, removed, events }: ResourceChange): void {
    const changes: Change[] = [
      ...changed.map(({ kind, metadata: { namespace, name } }): Change => {
        return { type: "changed", name: { kind, namespace, name } };
      }),
      ...removed.map(({ kind, namespace, name }): Change => {
        return { type: "removed", name: { kind, namespace, name } };
      }),
      ...events.map(({ about: { kind, namespace, name }, event }): Change => {
        return { type: "event", name: { kind, namespace, name }, event };
      }),
    ];
    const numbered = changes.map((change, index) => ({
      ...change,
      number: this.#last + index + 1,
    }));
    this.#last += changes.length;
    this.#kept = [...this.#kept, ...numbered].slice(-MAX_KEPT_CHANGES);
    for (const wake of this.#waiting) wake();
  }
}

function keyOf({ kind, namespace, name }: ResourceName): string {
  return `${kind} ${namespace}/${name}`;
}
