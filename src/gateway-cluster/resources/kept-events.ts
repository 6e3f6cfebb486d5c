/** What happened to the resources lately, as the Events of the cluster tell it. No more than a bounded number is kept, whoever writes Events. */
import type { ResourceName } from "../../gateway/resource-source.ts";
import type { EventView } from "../../http-api/resource-views.ts";
import { keyOf } from "../../kube/client/object.ts";
import { Cache } from "../../kube/watch/cache.ts";
import { readEvent, type EventObject, type ReadEvent } from "./event-of-object.ts";

/** The oldest one is forgotten beyond this many of one resource. */
export const MAX_EVENTS_OF_ONE = 100;
/** And of all resources together. */
export const MAX_EVENTS = 10_000;

interface KeptEvent extends EventObject {
  readonly read?: ReadEvent | undefined;
}

/** Of an Event no more is kept than is shown. */
export function keptEvent(object: KeptEvent): KeptEvent {
  const { name, namespace, uid, resourceVersion } = object.metadata;
  return { metadata: { name, namespace, uid, resourceVersion }, read: readEvent(object) };
}

export class KeptEvents {
  /** For the watch that fills it, with objects that `keptEvent` gave. */
  readonly cache = new Cache<KeptEvent>({
    about: ({ read }) => (read === undefined ? [] : [keyOfName(read.about)]),
  });

  constructor() {
    this.cache.subscribe(({ before, after }) => {
      if (after?.read === undefined) {
        if (after !== undefined) this.cache.delete(keyOf(after.metadata));
      } else if (before === undefined) this.#makeRoom(after.read.about);
    });
  }

  /** The listener hears of what happens, and of what happens again. */
  follow(listener: (read: ReadEvent) => void): void {
    this.cache.subscribe(({ after }) => {
      if (after?.read !== undefined) listener(after.read);
    });
  }

  /** The newest first. Events of an earlier object of the same name are left out. */
  of(about: ResourceName, uid: string | undefined): EventView[] {
    return this.cache
      .indexed("about", keyOfName(about))
      .flatMap(({ read }) => read ?? [])
      .filter((read) => read.uid === undefined || uid === undefined || read.uid === uid)
      .map(({ event }) => event)
      .toSorted((one, other) => other.at.localeCompare(one.at));
  }

  #makeRoom(about: ResourceName): void {
    const ofOne = this.cache.indexed("about", keyOfName(about));
    if (ofOne.length > MAX_EVENTS_OF_ONE) {
      const [oldest] = ofOne.toSorted((one, other) => timeOf(one).localeCompare(timeOf(other)));
      if (oldest !== undefined) this.cache.delete(keyOf(oldest.metadata));
    }
    if (this.cache.size <= MAX_EVENTS) return;
    for (const { metadata } of this.cache.all()) {
      this.cache.delete(keyOf(metadata));
      return;
    }
  }
}

function timeOf({ read }: KeptEvent): string {
  return read?.event.at ?? "";
}

function keyOfName({ kind, namespace, name }: ResourceName): string {
  return `${kind} ${namespace}/${name}`;
}
