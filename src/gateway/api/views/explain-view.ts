import { explain } from "../../../control/explain/explain.ts";
import { reasonPage } from "../../../control/explain/reason-page.ts";
import { firstCause } from "../../../control/first-cause.ts";
import type { CallerView } from "../../../http-api/caller-view.ts";
import type { ConditionView, ExplainView } from "../../../http-api/resource-views.ts";
import type { StoredResource } from "../../resource-source.ts";

/** `undefined` for a resource that is as its spec wants it. */
export function explainView(
  resource: StoredResource,
  place: CallerView["mode"],
): ExplainView | undefined {
  const conditions = resource.status.conditions ?? [];
  const broken = conditions.filter(({ status }) => status !== "True");
  if (conditions.length > 0 && broken.length === 0) return undefined;
  const { kind, metadata, spec, status } = resource;
  const explanation = explain({ kind, metadata, spec: { ...spec }, status }, { place });
  return { ...explanation, docs: reasonPage(kind, firstCause(kind, broken)) };
}

/** The conditions, those to mend first before the others. Those that hold keep their order. */
export function conditionViews({ kind, status }: StoredResource): ConditionView[] {
  const conditions = status.conditions ?? [];
  const views: ConditionView[] = [];
  let rest = conditions.filter((condition) => condition.status !== "True");
  for (let next = firstCause(kind, rest); next !== undefined; next = firstCause(kind, rest)) {
    const first = next;
    views.push(conditionView(first));
    rest = rest.filter((condition) => condition !== first);
  }
  const holding = conditions.filter((condition) => condition.status === "True");
  return [...views, ...holding.map(conditionView)];
}

function conditionView({
  type,
  status,
  reason,
  message,
  lastTransitionTime,
}: ConditionView): ConditionView {
  return { type, status, reason, message, lastTransitionTime };
}
