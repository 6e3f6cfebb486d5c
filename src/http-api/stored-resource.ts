import { z } from "zod";

const textMap = () => z.record(z.string(), z.string());

/** A resource as it is declared, with its status. */
export const storedResourceSchema = z.object({
  apiVersion: z.string(),
  kind: z.enum(["AgentRuntime", "PromptPack", "ToolRegistry"]),
  metadata: z.object({
    namespace: z.string(),
    name: z.string(),
    generation: z.int().optional(),
    labels: textMap().optional(),
    annotations: textMap().optional(),
    creationTimestamp: z.string().optional(),
  }),
  spec: z.record(z.string(), z.unknown()),
  status: z.record(z.string(), z.unknown()),
});

export type StoredResourceView = z.output<typeof storedResourceSchema>;
