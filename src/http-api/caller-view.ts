import { z } from "zod";

/** Who the caller is to the HTTP API. */
export const callerViewSchema = z.object({
  subject: z.string().optional(),
  mode: z.enum(["local", "cluster"]),
  /** The namespaces in which the caller may see agents. */
  namespaces: z.array(z.string()),
  /** When the caller's token ends. */
  expiresAt: z.string().optional(),
  /** The version of the program. */
  version: z.string(),
});

export type CallerView = z.output<typeof callerViewSchema>;
