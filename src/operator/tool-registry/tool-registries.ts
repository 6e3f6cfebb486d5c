/** The ToolRegistries of the cluster: their controller, and what was decided about them for the agents that refer to them. */
import { Controller } from "../../kube/controller.ts";
import type {
  ControllerSettings,
  DecidedToolRegistries,
  OperatorContext,
} from "../operator-context.ts";

export interface ToolRegistries {
  readonly controller: Controller;
  readonly decided: DecidedToolRegistries;
  /** Looks at the tools given by URL again and again, until the signal is aborted. Only while leading. */
  run(signal: AbortSignal): Promise<void>;
}

export function createToolRegistries(
  { caches, clock }: OperatorContext,
  settings: ControllerSettings,
): ToolRegistries {
  const controller = new Controller({
    name: "toolregistry",
    clock,
    ...settings,
    reconcile: async () => {},
  }).owns(caches.toolRegistries);
  return {
    controller,
    decided: { reference: async () => ({ found: false }), subscribe: () => {} },
    run: async () => {},
  };
}
