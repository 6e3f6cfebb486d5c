/** PromptPacks in the HTTP API. */
import { z } from "zod";
import { conditionViewSchema, eventViewSchema, explainViewSchema } from "./resource-views.ts";

export const packVersionViewSchema = z.object({
  /** The hash of its content, 12 hexadecimal digits. */
  hash: z.string(),
  /** What the pack itself says. */
  version: z.string().optional(),
  state: z.enum(["active", "canary", "kept"]),
  keptAt: z.string().optional(),
  /** The agents that use it, as `namespace/name`. */
  agents: z.array(z.string()),
});

/** What the agents counted of a version since its trial began. */
export const versionCountsSchema = z.object({
  sessions: z.int(),
  turns: z.int(),
  failures: z.int(),
  validationFailures: z.int(),
  p50FirstChunkMs: z.number().optional(),
  p95FirstChunkMs: z.number().optional(),
});

export const packViewSchema = z.object({
  namespace: z.string(),
  name: z.string(),
  phase: z.string(),
  activeVersion: z.string().optional(),
  activeSemver: z.string().optional(),
  canary: z
    .object({
      version: z.string(),
      semver: z.string().optional(),
      /** Percent of the new sessions, as wanted. */
      weight: z.number(),
      counts: versionCountsSchema.optional(),
      /** What the version beside it did in the same time. */
      activeCounts: versionCountsSchema.optional(),
    })
    .optional(),
  explain: explainViewSchema.optional(),
  createdAt: z.string().optional(),
});

export const packDetailSchema = packViewSchema.extend({
  versions: z.array(packVersionViewSchema),
  conditions: z.array(conditionViewSchema),
  events: z.array(eventViewSchema),
  manifest: z.string(),
});

/** The document of a version, as it was accepted. */
export const packDocumentSchema = z.object({
  hash: z.string(),
  version: z.string().optional(),
  document: z.record(z.string(), z.unknown()),
});

export type PackVersionView = z.output<typeof packVersionViewSchema>;
export type VersionCounts = z.output<typeof versionCountsSchema>;
export type PackView = z.output<typeof packViewSchema>;
export type PackDetail = z.output<typeof packDetailSchema>;
export type PackDocument = z.output<typeof packDocumentSchema>;
