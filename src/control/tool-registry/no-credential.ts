import type { ToolEntry } from "../../api/tool-registry.ts";
import type { ServiceView } from "./service-view.ts";

/**
 * Why a Service is never sent a credential, with the cure. `undefined`: it may be sent one.
 *
 * Whoever may label a Service would get the credential of every entry that selects it. So the registry must name the Service,
 * and the Service must lead to pods of its namespace: its owner could send the calls to any other address.
 */
export function noCredential(
  { selector }: ToolEntry,
  { name, backedBy }: ServiceView,
): string | undefined {
  if (selector?.names?.includes(name) !== true) {
    return `is selected by its labels only, so it is sent no credential: list "${name}" in selector.names of the entry`;
  }
  switch (backedBy) {
    case "pods":
      return undefined;
    case "hand-made-endpoints":
      return "has no selector, so anybody may have written its endpoints, and it is sent no credential: give it a selector";
    case "external-name":
      return "is of type ExternalName, so it is sent no credential: write the address into the entry as its url";
  }
}
