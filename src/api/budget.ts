/** How many tokens an agent may use. */
import { z } from "zod";
import { int32 } from "./fields/types.ts";

export const budgetSchema = z.strictObject({
  maxTokensPerTurn: int32(1).optional().describe("Tokens of one turn, of all its answers together"),
  maxTokensPerSession: int32(1).optional().describe("Tokens of all turns of a session"),
  maxTokensPerDay: int32(1)
    .optional()
    .describe(
      "Tokens of all sessions in a day, which begins at midnight UTC; of all replicas together with session.type redis, else of each replica",
    ),
});
