/** Whether a person is asked before a tool is called. */
import { z } from "zod";
import { TOOL_APPROVALS } from "./choices.ts";

const HINT =
  "must be never, always, or arguments with a JSON Schema: the calls whose arguments match it wait";

export const toolApprovalSchema = z
  .union(
    [
      z.enum(TOOL_APPROVALS),
      z.strictObject({
        arguments: z
          .looseObject({
            type: z
              .literal("object", 'must be "object"')
              .optional()
              .describe("Arguments are an object"),
          })
          .meta({ "x-kubernetes-preserve-unknown-fields": true })
          .describe("Calls whose arguments match this JSON Schema wait for an approval"),
      }),
    ],
    { error: HINT },
  )
  .meta({ "x-kubernetes-preserve-unknown-fields": true });
