/** The PromptPacks of the cluster: their controller, and what was decided about them for the agents that refer to them. */
import { isDeepStrictEqual } from "node:util";
import type { PromptPackStatus } from "../../api/prompt-pack.ts";
import { decideTrial } from "../../control/prompt-pack/decide-trial.ts";
import { packStatus } from "../../control/prompt-pack/pack-status.ts";
import { sourceValid } from "../../control/prompt-pack/source-valid.ts";
import type { ApiError } from "../../kube/client/api-error.ts";
import { Controller, type ReconcileResult } from "../../kube/controller/controller.ts";
import { keyOf } from "../../kube/client/object.ts";
import type { AskCanary } from "../../probes/canary-probes.ts";
import type { Claims } from "../claims/claims.ts";
import { PROMPT_PACKS, type StoredPromptPack } from "../cluster/kubernetes-objects.ts";
import type {
  ControllerSettings,
  DecidedPromptPacks,
  OperatorContext,
} from "../cluster/operator-context.ts";
import { UnreadableSpecs } from "../cluster/read-stored.ts";
import { WrittenStatuses } from "../cluster/written-statuses.ts";
import { VersionConfigMaps, packsOfVersion } from "./version-config-maps.ts";
import { countAgentsOf, watchAgents } from "./count-agents.ts";
import { ObservedCanaries } from "./observed-canaries.ts";
import { PackParser } from "./pack-parser.ts";
import { createPackDecisions, hashIn, type PackDecision } from "./decisions.ts";

/** While many agents take up a version, the status of its pack is written once in this time at most. */
const AGENTS_BATCH_MS = 500;
/** While agents count sessions of a canary, the status of its pack is written once in this time at most. */
const COUNTS_BATCH_MS = 5_000;
/** When the cache is behind, it has caught up after this time. */
const CATCH_UP_MS = 1_000;

export interface PromptPacks {
  readonly controller: Controller;
  readonly decided: DecidedPromptPacks;
  /** Asks replicas what they counted of canaries, until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
}

export function createPromptPacks(
  context: OperatorContext,
  claims: Claims,
  settings: ControllerSettings & { readonly askCanary?: AskCanary | undefined },
): PromptPacks {
  const { caches, clock } = context;
  const statuses = new WrittenStatuses<PromptPackStatus>(context, PROMPT_PACKS);
  const unreadable = new UnreadableSpecs(context, PROMPT_PACKS);
  const parser = new PackParser({ clock });
  const versionConfigMaps = new VersionConfigMaps(context, parser);
  const observedCanaries = new ObservedCanaries(caches, {
    clock,
    ask: settings.askCanary,
    onRound: (pack) => controller.queue.add(pack),
  });
  const decisions = createPackDecisions(context, { statuses, versionConfigMaps, parser });

  async function reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult | void> {
    const outcome = await decisions.renew(key, signal);
    if (outcome === undefined) {
      claims.forget(PROMPT_PACKS, key);
      observedCanaries.forget(key);
      return statuses.forget(key);
    }
    const { stored, decision, problem } = outcome;
    if (stored.metadata.deletionTimestamp !== undefined) return;
    const claim = await claims.of(PROMPT_PACKS, stored, problem === undefined, signal);
    if (!claim.isHeld) {
      observedCanaries.forget(key);
      statuses.forget(key);
      return { requeueAfterMs: claim.requeueAfterMs };
    }
    if (problem !== undefined) return await unreadable.refuse(stored, problem, signal);
    if (decision === undefined) return;
    // A version is kept before the status names it, so that each version in a status is found after a restart.
    const kept = await keepRunning(stored, decision, signal);
    if (kept === "later") return { requeueAfterMs: CATCH_UP_MS };
    const { facts } = decision;
    const now = clock.now();
    const observed = observedCanaries.of(key, decision);
    const trial = decideTrial({ promptPack: facts.promptPack, decision, observed, now });
    const { versions, rollout, news } = trial;
    const status = packStatus({
      ...facts,
      versions,
      rollout,
      validity:
        kept === undefined
          ? decision.validity
          : sourceValid({ ...facts, versions, notKept: refused(kept) }),
      agents: countAgentsOf(caches, context.settings.policy, facts.promptPack, versions),
      now,
    });
    const age = statuses.age(stored);
    const batchMs = batchOf(statuses.of(stored), status);
    if (age < batchMs) return { requeueAfterMs: batchMs - age };
    const isWritten = await statuses.write(stored, status, signal);
    if (news !== undefined && isWritten) {
      const { type, reason, message: note } = news;
      const event = { type, reason, action: "Rollout", note };
      await context.events.report(PROMPT_PACKS, stored, event, signal);
      // The agents are told of the step that the status names now.
      controller.queue.add(key);
    }
    await versionConfigMaps.prune(stored, decision.keep, signal);
    if (kept !== undefined) throw kept;
  }

  /** Resolves to "later" when not every running version can be kept now, and to an error when the API server refuses one. */
  async function keepRunning(
    stored: StoredPromptPack,
    { held, reading }: PackDecision,
    signal: AbortSignal,
  ): Promise<"later" | ApiError | undefined> {
    const there = new Set(versionConfigMaps.of(stored).map(({ metadata }) => metadata.name));
    for (const [hash, version] of held) {
      if (there.has(`${stored.metadata.name}-${hash}`)) continue;
      if (versionConfigMaps.otherHolder(stored, hash) !== "nobody") continue;
      const content = hash === hashIn(reading) ? reading.content : version.content;
      if (content === undefined) continue;
      const result = await versionConfigMaps.keep(stored, hash, content, signal);
      if (result.kept) continue;
      return result.later ? "later" : result.error;
    }
    return undefined;
  }

  const controller: Controller = new Controller({
    name: "promptpack",
    clock,
    ...settings,
    reconcile,
  })
    .owns(caches.promptPacks)
    .watches(caches.configMaps, (configMap) => [
      ...caches.promptPacks.indexed("source", keyOf(configMap.metadata)).map(keyOfObject),
      ...packsOfVersion(configMap).filter((key) => caches.promptPacks.get(key) !== undefined),
    ]);
  watchAgents(caches, (pack) => {
    if (caches.promptPacks.get(pack) !== undefined) {
      controller.queue.addAfter(pack, AGENTS_BATCH_MS);
    }
  });

  return {
    controller,
    run: (signal) => observedCanaries.run(signal),
    decided: {
      async reference(key, signal) {
        const outcome = await decisions.answer(key, signal);
        if (outcome?.decision === undefined) return { found: false };
        const { name, namespace = "" } = outcome.stored.metadata;
        const { validity, versions, facts } = outcome.decision;
        const { allowedNamespaces, rollout } = facts.promptPack.spec;
        const { strategy, evals } = rollout;
        const running = { validity, versions, strategy, evals };
        return { found: true, name, namespace, ...running, allowedNamespaces };
      },
      subscribe: (listener) => decisions.subscribe(listener),
    },
  };
}

function keyOfObject({ metadata }: StoredPromptPack): string {
  return keyOf(metadata);
}

/** Tells of a quota or a policy, without the words of the server, which change from try to try. */
function refused({ reason }: ApiError): string {
  return `this version is not kept, for the API server refuses the ConfigMap for it (${reason})`;
}

/** How long a status may wait for more changes of the same kind. */
function batchOf(before: PromptPackStatus | undefined, after: PromptPackStatus): number {
  if (isDeepStrictEqual(before, after)) return 0;
  const isSame = (without: (status: PromptPackStatus | undefined) => unknown): boolean =>
    isDeepStrictEqual(without(before), without(after));
  if (isSame(withoutAgents)) return AGENTS_BATCH_MS;
  return isSame((status) => withoutCanaryCounts(withoutAgents(status))) ? COUNTS_BATCH_MS : 0;
}

function withoutAgents(status: PromptPackStatus | undefined): Partial<PromptPackStatus> {
  const conditions = status?.conditions?.filter(({ type }) => type !== "AgentsNotified");
  return { ...status, conditions };
}

function withoutCanaryCounts(status: Partial<PromptPackStatus>): Partial<PromptPackStatus> {
  return {
    ...status,
    canaryCounts: undefined,
    canaryEndedCounts: undefined,
    activeCounts: undefined,
    activeEndedCounts: undefined,
    canaryMessage: undefined,
  };
}
