/** How a prompt may use its tools. */
import { z } from "zod";
import { listOf } from "./lists-and-maps.ts";

/** Whether the model decides, has to call a tool, or must not call one. */
export const TOOL_CHOICES = ["auto", "required", "none"] as const;

export const toolPolicySchema = z.strictObject({
  tool_choice: z.enum(TOOL_CHOICES).optional(),
  max_rounds: z.int().min(1).optional(),
  max_tool_calls_per_turn: z.int().min(1).optional(),
  blocklist: listOf(z.string()).optional(),
});
