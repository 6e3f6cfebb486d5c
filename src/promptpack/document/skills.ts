/** Instructions that a pack brings along: as a folder, or written out. */
import { z } from "zod";

export const skillSchema = z.union(
  [
    z.string(),
    z.strictObject({ path: z.string(), preload: z.boolean().optional() }),
    z.strictObject({
      name: z.string().min(1),
      description: z.string().min(1),
      instructions: z.string().min(1),
    }),
  ],
  { error: "must be a path, {path, preload} or {name, description, instructions}" },
);
