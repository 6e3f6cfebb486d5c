/** The state machine over the prompts of a pack. */
import { z } from "zod";
import { mapOf } from "./lists-and-maps.ts";

const limit = () => z.int().min(1).optional();

const stateSchema = z.strictObject({
  prompt_task: z.string(),
  description: z.string().optional(),
  on_event: mapOf(z.string()).optional(),
  persistence: z.string().optional(),
  orchestration: z.string().optional(),
  skills: z.string().optional(),
  terminal: z.boolean().optional(),
  max_visits: limit(),
  on_max_visits: z.string().optional(),
  artifacts: mapOf(
    z.strictObject({
      type: z.string(),
      description: z.string().optional(),
      mode: z.enum(["replace", "append"]).optional(),
    }),
  ).optional(),
});

export const workflowSchema = z.strictObject({
  version: z.int().min(1),
  entry: z.string(),
  states: mapOf(stateSchema).refine(
    (states) => Object.keys(states).length > 0,
    "needs at least one state",
  ),
  engine: z
    .looseObject({
      budget: z
        .strictObject({
          max_total_visits: limit(),
          max_tool_calls: limit(),
          max_wall_time_sec: limit(),
        })
        .optional(),
    })
    .optional(),
});
