import { type CarryOutContext, carryOut } from "./carry-out.ts";
import type { Phase } from "./pass.ts";
import type { Clock } from "../../time/clock.ts";

/** The one write of the objects: the agent's ConfigMap, Service, NetworkPolicy, Deployment and PodDisruptionBudget. */
export function applyObjects(context: CarryOutContext & { readonly clock: Clock }): Phase {
  const { clock } = context;
  return async (pass, signal) => {
    const { memory, children, own, wanted } = pass;
    if (wanted === undefined) return {};
    const applied = await carryOut(context, children, memory.refusals, wanted, signal).catch(
      (error: unknown) => {
        // The ConfigMap may have been made although its answer was lost. The next pass then wants the same one, and not a new revision.
        if (own.configMap === undefined) memory.files.wrote(wanted.files, undefined);
        throw error;
      },
    );
    if (applied.files === "written") {
      memory.files.wrote(wanted.files, own.configMap);
      memory.filesChangedAtMs = clock.monotonic();
    }
    if (applied.created.length > 0) {
      memory.created = { children: applied.created, atMs: clock.monotonic() };
    }
    pass.applied = applied;
    const delays = [applied.retryInMs, wanted.scaling.againInMs].filter((ms) => ms !== undefined);
    return { requeueAfterMs: delays.length === 0 ? undefined : Math.min(...delays) };
  };
}
