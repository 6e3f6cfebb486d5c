/** The PromptPacks of the cluster: their controller, and what was decided about them for the agents that refer to them. */
import { Controller } from "../../kube/controller.ts";
import type {
  ControllerSettings,
  DecidedPromptPacks,
  OperatorContext,
} from "../operator-context.ts";

export interface PromptPacks {
  readonly controller: Controller;
  readonly decided: DecidedPromptPacks;
}

export function createPromptPacks(
  { caches, clock }: OperatorContext,
  settings: ControllerSettings,
): PromptPacks {
  const controller = new Controller({
    name: "promptpack",
    clock,
    ...settings,
    reconcile: async () => {},
  }).owns(caches.promptPacks);
  return {
    controller,
    decided: { reference: async () => ({ found: false }), subscribe: () => {} },
  };
}
