/** The labels by which the pods of an agent are found. They never change, because the selector of a Deployment is immutable. */
export const NAME_LABEL = "app.kubernetes.io/name";
export const INSTANCE_LABEL = "app.kubernetes.io/instance";

export function agentSelector(agent: string): Record<string, string> {
  return { [NAME_LABEL]: "omnia-agent", [INSTANCE_LABEL]: agent };
}

/** The selector of an agent as the API writes it in a query or a status: `name=value,name=value`. */
export function agentSelectorText(agent: string): string {
  return Object.entries(agentSelector(agent))
    .map(([label, value]) => `${label}=${value}`)
    .join(",");
}
