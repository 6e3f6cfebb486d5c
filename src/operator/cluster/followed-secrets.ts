import { isNotFound } from "../../kube/client/api-error.ts";
import type { KubeClient } from "../../kube/client/client.ts";
import type { KubernetesObject } from "../../kube/client/object.ts";
import { Controller } from "../../kube/controller/controller.ts";
import type { Clock } from "../../time/clock.ts";
import { agentsWithSecret } from "./agents-with-secret.ts";
import type { OperatorCaches } from "./caches.ts";
import { SECRETS } from "./kubernetes-objects.ts";
import type { ControllerSettings } from "./operator-context.ts";

/** The mean time between two looks at a Secret. With the jitter no more than 75 s pass until the request is made. */
export const SECRET_REREAD_MS = 60_000;
/** People wait for the answer when they have just created a Secret that was missing. */
export const MISSING_SECRET_REREAD_MS = 10_000;
/** How much of the mean time a look may come earlier or later, so that not all of them come together. */
const JITTER = 0.25;
const WORKERS = 4;

export interface FollowedSecretsOptions {
  readonly client: KubeClient;
  readonly caches: Pick<OperatorCaches, "agentRuntimes" | "toolRegistries" | "secrets">;
  readonly clock: Clock;
  readonly random: () => number;
  readonly settings: ControllerSettings;
  /** @default SECRET_REREAD_MS */
  readonly rereadMs?: number | undefined;
}

/**
 * Fills the cache of Secrets without a list or a watch: with those that somebody asked for by their names, for as long as an
 * AgentRuntime refers to them. Only their metadata is looked at again and again; their content is read when that has changed.
 */
export class FollowedSecrets {
  readonly controller: Controller;
  readonly #options: FollowedSecretsOptions;
  readonly #followed = new Set<string>();
  /** Key → the first look at a Secret that is not followed yet. */
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(options: FollowedSecretsOptions) {
    const { caches, client, clock, settings } = options;
    this.#options = options;
    // What is left of an earlier time may be out of date.
    for (const { metadata } of caches.secrets.all()) {
      caches.secrets.delete(`${metadata.namespace}/${metadata.name}`);
    }
    const rereading = client.givingWay();
    this.controller = new Controller({
      name: "secret",
      clock,
      ...settings,
      workers: WORKERS,
      reconcile: async (key, signal) => {
        if (agentsWithSecret(caches, nameOf(key)).length > 0) {
          await this.#look(key, rereading, signal);
          return { requeueAfterMs: this.#delay(key) };
        }
        this.#followed.delete(key);
        caches.secrets.delete(key);
        return undefined;
      },
    });
  }

  /** The metadata as it was at the last look. `undefined`: there was no such Secret. Rejects when the first look fails. */
  async newest(key: string, signal: AbortSignal): Promise<KubernetesObject | undefined> {
    if (!this.#followed.has(key)) await this.#follow(key, signal);
    return this.#options.caches.secrets.get(key);
  }

  async #follow(key: string, signal: AbortSignal): Promise<void> {
    const looking =
      this.#underWay.get(key) ??
      this.#look(key, this.#options.client, signal).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, looking);
    await looking;
    if (this.#followed.has(key)) return;
    this.#followed.add(key);
    this.controller.queue.addAfter(key, this.#delay(key));
  }

  async #look(key: string, client: KubeClient, signal: AbortSignal): Promise<void> {
    const { secrets } = this.#options.caches;
    try {
      const { metadata } = await client.getMetadata(SECRETS, nameOf(key), signal);
      const { name, namespace, uid, resourceVersion } = metadata;
      // Annotations of others may hold the values.
      secrets.set({ metadata: { name, namespace, uid, resourceVersion } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      secrets.delete(key);
    }
  }

  #delay(key: string): number {
    const { caches, random, rereadMs = SECRET_REREAD_MS } = this.#options;
    const isMissing = caches.secrets.get(key) === undefined;
    const mean = isMissing ? Math.min(rereadMs, MISSING_SECRET_REREAD_MS) : rereadMs;
    return mean * (1 - JITTER + 2 * JITTER * random());
  }
}

function nameOf(key: string): { namespace: string; name: string } {
  const [namespace = "", name = ""] = key.split("/");
  return { namespace, name };
}
