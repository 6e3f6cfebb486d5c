import { addCost } from "./add-cost.ts";
import type { Usage } from "./frames.ts";

/** The sum of both. Undefined when both are. */
export function addUsage(sum: Usage | undefined, usage: Usage | undefined): Usage | undefined {
  if (sum === undefined || usage === undefined) return sum ?? usage;
  const tokens = {
    input_tokens: sum.input_tokens + usage.input_tokens,
    output_tokens: sum.output_tokens + usage.output_tokens,
  };
  const cost = addCost(sum.cost, usage.cost);
  return cost === undefined ? tokens : { ...tokens, cost };
}
