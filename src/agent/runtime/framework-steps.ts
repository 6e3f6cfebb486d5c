/** Steps that a runtime in another framework answers, in the protocol that it speaks. */
import { TurnError } from "../contracts/turn-error.ts";
import type { Framework } from "../framework/framework.ts";
import { agUiSteps, type AgUiStepsOptions } from "./ag-ui/ag-ui-steps.ts";
import type { StepSource } from "./steps/step-source.ts";

export function frameworkSteps(
  { protocol, path, endpoint }: Framework,
  options: Omit<AgUiStepsOptions, "endpoint" | "path">,
): StepSource {
  switch (protocol) {
    case "ag-ui":
      return agUiSteps({ ...options, endpoint, path });
    case "omnia.runtime.v1":
      throw new TurnError("INTERNAL_ERROR", "the agent does not speak omnia.runtime.v1 yet");
  }
}
