/** What the operator knows of autoscalers in its cluster, for one agent. */
import { SCALED_OBJECTS } from "../cluster/kubernetes-objects.ts";
import type { OperatorContext } from "../cluster/operator-context.ts";
import type { AutoscalerFacts } from "./objects/build-autoscalers.ts";
import { observeAutoscaler } from "./pods/observe-autoscaler.ts";
import type { ObserveAutoscaler } from "./decide.ts";

type Context = Pick<OperatorContext, "caches" | "settings">;

export function autoscalerFacts({
  caches,
  settings,
}: Context): Omit<AutoscalerFacts, "autoscaling"> {
  return {
    hasKeda: caches.servedKinds.get(SCALED_OBJECTS.plural) !== undefined,
    prometheusAddress: settings.prometheusAddress,
  };
}

export function autoscalerObserver(context: Context): ObserveAutoscaler {
  const { agentDefaults } = context.settings;
  return (spec, { horizontalPodAutoscaler, scaledObject }, problem) => {
    const { hasKeda, prometheusAddress } = autoscalerFacts(context);
    return observeAutoscaler({
      spec,
      defaultResources: agentDefaults?.resources,
      horizontalPodAutoscaler,
      scaledObject,
      hasKeda,
      hasPrometheus: prometheusAddress !== undefined,
      problem,
    });
  };
}
