/**
 * What `GET /watch` streams, as server-sent events: `event` is the type, `data` is JSON, `id` is a cursor for `Last-Event-ID`. A comment comes at least
 * every 15 seconds.
 */
import { z } from "zod";
import { agentViewSchema } from "./agent-views.ts";
import { packViewSchema } from "./pack-views.ts";
import { eventViewSchema } from "./resource-views.ts";
import { toolRegistryViewSchema } from "./tool-views.ts";

const itemSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("AgentRuntime"), item: agentViewSchema }),
  z.object({ kind: z.literal("PromptPack"), item: packViewSchema }),
  z.object({ kind: z.literal("ToolRegistry"), item: toolRegistryViewSchema }),
]);

const nameSchema = z.object({
  kind: z.enum(["AgentRuntime", "PromptPack", "ToolRegistry"]),
  namespace: z.string(),
  name: z.string(),
});

export const watchEventSchema = z.discriminatedUnion("type", [
  /** All there is. It comes first, unless what follows the cursor is still known. */
  z.object({ type: z.literal("snapshot"), items: z.array(itemSchema) }),
  z.object({ type: z.literal("changed"), change: itemSchema }),
  z.object({ type: z.literal("removed"), removed: nameSchema }),
  z.object({ type: z.literal("event"), about: nameSchema, event: eventViewSchema }),
  /** What came after the cursor is not known any more: a snapshot follows. */
  z.object({ type: z.literal("reset") }),
]);

export type WatchItem = z.output<typeof itemSchema>;
export type WatchEvent = z.output<typeof watchEventSchema>;
