/** The three controllers, put together over caches that are already being filled. They work while this process leads. */
import { randomUUID } from "node:crypto";
import type { Controller } from "../kube/controller/controller.ts";
import { keyOf } from "../kube/client/object.ts";
import { EventRecorder } from "../kube/events.ts";
import { type Backoff, exponentialBackoff } from "../time/backoff.ts";
import type { AskCanary } from "../probes/canary-probes.ts";
import { askReadiness } from "../probes/ask-readiness.ts";
import type { AskReplica } from "./agent-runtime/pods/replica-reports.ts";
import { createAgentRuntimes } from "./agent-runtime/controller.ts";
import { Claims } from "./claims/claims.ts";
import { OtherOperators } from "./claims/other-operators.ts";
import type { ControllerSettings, OperatorContext } from "./cluster/operator-context.ts";
import { FollowedSecrets } from "./cluster/followed-secrets.ts";
import { EVENT_REPORTER } from "./cluster/labels.ts";
import { createSecretReader } from "./cluster/secret-reader.ts";
import { createPromptPacks, type PromptPacks } from "./prompt-pack/controller.ts";
import { createToolRegistries, type ToolRegistries } from "./tool-registry/controller.ts";

/** A rotation is to be noticed soon after an outage of the API server, however long that was. */
const secretBackoff = exponentialBackoff({ firstMs: 5_000, lastMs: 20_000 });

export interface OperatorParts extends Omit<OperatorContext, "events"> {
  /** The name of this process, which stands in the events that it reports. */
  readonly instance: string;
  /** The namespace of this operator, by which other operators know it. */
  readonly ownNamespace: string;
  /** Whether this operator leads by a lease. One without takes no resource from an operator that has no lease. */
  readonly hasLease: boolean;
  readonly controllerSettings: (controller: string, backoff?: Backoff) => ControllerSettings;
  readonly random: () => number;
  /** @default it asks the pod itself */
  readonly askReplica?: AskReplica | undefined;
  /** @default it asks the pod itself */
  readonly askCanary?: AskCanary | undefined;
  /** The time between two probes of the tools that are given by URL. */
  readonly probeIntervalMs?: number | undefined;
  /** The time between two readings of the list of a server of tools. */
  readonly listIntervalMs?: number | undefined;
  /** The time between two looks at a Secret when Secrets are not watched. */
  readonly secretRereadMs?: number | undefined;
}

export interface Operator {
  readonly promptPacks: PromptPacks;
  readonly toolRegistries: ToolRegistries;
  readonly agentRuntimes: Controller;
  readonly controllers: readonly Controller[];
  /** Works until the signal is aborted, and then resolves. An operator runs once. */
  run(signal: AbortSignal): Promise<void>;
}

export function createOperator(parts: OperatorParts): Operator {
  const { client, caches, clock, log, settings, signer, gatewayKeys } = parts;
  const { controllerSettings, probeIntervalMs, listIntervalMs, random } = parts;
  const events = new EventRecorder({
    client: client.givingWay(),
    reportingController: EVENT_REPORTER,
    reportingInstance: parts.instance,
    clock,
    newName: () => randomUUID().slice(0, 13),
    onError: (error) => log.warn({ error }, "An event could not be written"),
  });
  const context: OperatorContext = {
    client,
    caches,
    events,
    clock,
    log,
    settings,
    signer,
    gatewayKeys,
  };
  const cachesOfKinds = [caches.agentRuntimes, caches.promptPacks, caches.toolRegistries] as const;
  const others = new OtherOperators({
    client,
    clock,
    judges: parts.hasLease,
    isConcerned: (other) =>
      cachesOfKinds.some((cache) => cache.indexed("operator", other).length > 0),
    onChange: (other) => {
      const kinds = [agents.controller, promptPacks.controller, toolRegistries.controller];
      for (const [index, cache] of cachesOfKinds.entries()) {
        for (const { metadata } of cache.indexed("operator", other)) {
          kinds[index]?.queue.add(keyOf(metadata));
        }
      }
    },
    onError: (other, error) =>
      log.warn(
        { operator: other, error },
        "It cannot be seen whether another operator still runs, so that it counts as running",
      ),
  });
  const claims = new Claims({ client, own: parts.ownNamespace, others, clock });
  const promptPacks = createPromptPacks(context, claims, {
    ...controllerSettings("promptpack"),
    askCanary: parts.askCanary,
  });
  const toolRegistries = createToolRegistries(context, claims, {
    ...controllerSettings("toolregistry"),
    probeIntervalMs,
    listIntervalMs,
    random,
  });
  const followed = settings.secrets === "get" ? followSecrets(parts) : undefined;
  const agents = createAgentRuntimes(
    context,
    claims,
    {
      promptPacks: promptPacks.decided,
      toolRegistries: toolRegistries.decided,
      secrets: createSecretReader({
        client,
        caches,
        newest: followed && ((key, signal) => followed.newest(key, signal)),
      }),
      askReplica: parts.askReplica ?? ((address, signal) => askReadiness(address, clock, signal)),
    },
    controllerSettings("agentruntime"),
  );
  const controllers = [
    promptPacks.controller,
    toolRegistries.controller,
    agents.controller,
    ...(followed === undefined ? [] : [followed.controller]),
  ];
  return {
    promptPacks,
    toolRegistries,
    agentRuntimes: agents.controller,
    controllers,
    async run(signal) {
      await Promise.all([
        ...controllers.map((controller) => controller.run(signal)),
        promptPacks.run(signal),
        toolRegistries.run(signal),
        agents.run(signal),
        others.run(signal),
      ]);
    },
  };
}

function followSecrets(parts: OperatorParts): FollowedSecrets {
  const { client, caches, clock, random, secretRereadMs: rereadMs } = parts;
  const settings = parts.controllerSettings("secret", secretBackoff);
  return new FollowedSecrets({ client, caches, clock, random, settings, rereadMs });
}
