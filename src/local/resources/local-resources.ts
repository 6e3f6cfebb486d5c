/**
 * The resources of this machine as the HTTP API reads them: without secret values, with what happened to them, and with listeners that
 * hear of each change. It knows what was decided when `update` was called last.
 */
import type { OmniaKind } from "../../api/group.ts";
import { hideInText, hideValues } from "../../control/hide-values.ts";
import type { Happened, ResourceName } from "../../control/explain/happened.ts";
import type { ObjectName } from "../../control/object-name.ts";
import { statusTransitions } from "../../control/explain/status-transitions.ts";
import type { ReplicaView } from "../../http-api/agent-views.ts";
import type { EventView } from "../../http-api/resource-views.ts";
import type { Clock } from "../../time/clock.ts";
import type { LocalAgent } from "../agent.ts";
import type { LocalControl, LocalResource } from "../control.ts";
import type { LocalTool } from "../tool-registries.ts";
import { EventLog } from "./event-log.ts";
import { replicaViews } from "./replica-views.ts";

type Of<Kind extends OmniaKind> = Extract<LocalResource, { kind: Kind }>;

interface Change {
  readonly changed: readonly LocalResource[];
  readonly removed: readonly ResourceName[];
  readonly events: readonly { readonly about: ResourceName; readonly event: EventView }[];
}

/** What is asked of the control plane. */
type Controlled = Pick<
  LocalControl,
  "resources" | "tools" | "packVersions" | "packVersionTimes"
> & {
  agent(name: ObjectName): Pick<LocalAgent, "replicas"> | undefined;
};

interface Known {
  readonly resource: LocalResource;
  /** By which two states of a resource are compared. */
  readonly text: string;
}

export class LocalResources {
  readonly #clock: Pick<Clock, "now">;
  readonly #control: () => Controlled | undefined;
  readonly #events = new Map<string, EventLog>();
  readonly #listeners = new Set<(change: Change) => void>();
  #known: ReadonlyMap<string, Known> = new Map();
  #all: readonly LocalResource[] = [];

  /** `control` is undefined until it is there. */
  constructor({
    clock,
    control,
  }: {
    clock: Pick<Clock, "now">;
    control: () => Controlled | undefined;
  }) {
    this.#clock = clock;
    this.#control = control;
  }

  /** Takes over what was decided. */
  update(): void {
    const before = this.#known;
    const known = new Map<string, Known>();
    const changed: LocalResource[] = [];
    const events: Change["events"][number][] = [];
    for (const one of this.#control()?.resources() ?? []) {
      const key = keyOf(nameOf(one));
      const text = JSON.stringify(one);
      const earlier = before.get(key);
      if (earlier?.text === text) {
        known.set(key, earlier);
        continue;
      }
      const resource: LocalResource = hideValues(one);
      known.set(key, { resource, text });
      changed.push(resource);
      const transitions = statusTransitions(
        earlier?.resource.status.conditions,
        one.status.conditions,
      );
      for (const happened of transitions) events.push(this.#keep(nameOf(one), happened));
    }
    const removed = [...before].flatMap(([key, { resource }]) =>
      known.has(key) ? [] : [nameOf(resource)],
    );
    for (const name of removed) this.#events.delete(keyOf(name));
    this.#known = known;
    this.#all = [...known.values()].map(({ resource }) => resource);
    this.#tell({ changed, removed, events });
  }

  /** Keeps what happened to a resource besides a change of its status. */
  record(about: ResourceName, happened: Happened): void {
    this.#tell({ changed: [], removed: [], events: [this.#keep(about, happened)] });
  }

  resources(): readonly LocalResource[] {
    return this.#all;
  }

  resource<Kind extends OmniaKind>(kind: Kind, { namespace, name }: ObjectName) {
    const found = this.#known.get(keyOf({ kind, namespace, name }))?.resource;
    return found as Of<Kind> | undefined;
  }

  /** The newest first. */
  events(about: ResourceName): EventView[] {
    return this.#events.get(keyOf(about))?.all() ?? [];
  }

  replicas(agent: ObjectName): ReplicaView[] {
    return replicaViews(this.#control()?.agent(agent)?.replicas() ?? []);
  }

  tools(registry: ObjectName): LocalTool[] {
    return (this.#control()?.tools(registry) ?? []).map((tool) => ({
      ...tool,
      description: hideInText(tool.description),
    }));
  }

  /** The newest first. */
  async packVersions(
    pack: ObjectName,
  ): Promise<{ hash: string; semver: string; keptAt: number | undefined }[]> {
    const control = this.#control();
    const times = await control?.packVersionTimes(pack);
    return (control?.packVersions(pack) ?? []).map(({ hash, semver }) => ({
      hash,
      semver,
      keptAt: times?.get(hash),
    }));
  }

  async packDocument(
    pack: ObjectName,
    hash: string,
  ): Promise<Readonly<Record<string, unknown>> | undefined> {
    const versions = this.#control()?.packVersions(pack) ?? [];
    const document = versions.find((version) => version.hash === hash)?.document;
    return document === undefined ? undefined : { ...document };
  }

  listen(listener: (change: Change) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  #keep(about: ResourceName, happened: Happened): Change["events"][number] {
    const key = keyOf(about);
    const log = this.#events.get(key) ?? new EventLog();
    this.#events.set(key, log);
    return { about, event: log.add(happened, this.#clock.now()) };
  }

  #tell(change: Change): void {
    const { changed, removed, events } = change;
    if (changed.length + removed.length + events.length === 0) return;
    for (const listener of this.#listeners) listener(change);
  }
}

function nameOf({ kind, metadata: { namespace, name } }: LocalResource): ResourceName {
  return { kind, namespace, name };
}

function keyOf({ kind, namespace, name }: ResourceName): string {
  return `${kind} ${namespace}/${name}`;
}
