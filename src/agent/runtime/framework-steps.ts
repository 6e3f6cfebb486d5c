/** Steps that a runtime in another framework answers, in the protocol that it speaks. */
import type { Turn } from "../contracts/handler.ts";
import type { Framework } from "../framework/framework.ts";
import { agUiSteps, type AgUiStepsOptions } from "./ag-ui/ag-ui-steps.ts";
import type { StepSource } from "./steps/step-source.ts";

export interface FrameworkStepsOptions extends Omit<AgUiStepsOptions, "endpoint" | "path"> {
  readonly turn: Turn;
}

/** Rejects with a TurnError when the runtime cannot answer this turn. */
export async function frameworkSteps(
  { protocol, path, endpoint }: Framework,
  options: FrameworkStepsOptions,
): Promise<StepSource> {
  switch (protocol) {
    case "ag-ui":
      return agUiSteps({ ...options, endpoint, path });
    case "omnia.runtime.v1": {
      // The packages that speak gRPC are loaded only where they are used.
      const { connectRuntime } = await import("./runtime-v1/connect-runtime.ts");
      const { runtimeV1Steps } = await import("./runtime-v1/runtime-v1-steps.ts");
      return runtimeV1Steps({ ...options, connect: (signal) => connectRuntime(endpoint, signal) });
    }
  }
}

/** Answers why no turn could be served, in a sentence for people. */
export async function frameworkProblem({
  protocol,
  endpoint,
}: Framework): Promise<string | undefined> {
  const problem = await endpoint.problem();
  if (problem !== undefined || protocol === "ag-ui") return problem;
  const { healthProblem } = await import("./runtime-v1/connect-runtime.ts");
  return healthProblem(endpoint);
}
