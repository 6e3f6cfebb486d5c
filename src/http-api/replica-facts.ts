import { z } from "zod";

/** What one replica of an agent says of itself to a gateway. */
export const replicaFactsSchema = z.object({
  /** The name that people know it by: that of its pod, or `replica-1` on one machine. */
  name: z.string(),
  /** The version of the program. */
  version: z.string(),
  startedAt: z.string(),
  /** WebSocket connections that are open. */
  connections: z.int(),
  /** Turns that run. */
  turns: z.int(),
  /** Sessions that it holds, or has touched within their time to live where replicas share a store. */
  sessions: z.int(),
  /** Used since midnight UTC: by all replicas where they share a store, else by this one. Set where there is a budget for the day. */
  tokensToday: z.int().optional(),
  /** Whether it has the session that the request names. */
  hasSession: z.boolean().optional(),
});

export type ReplicaFacts = z.output<typeof replicaFactsSchema>;
