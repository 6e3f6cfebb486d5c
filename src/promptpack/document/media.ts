/** The media that a prompt takes besides text. */
import { z } from "zod";
import { listOf } from "./lists-and-maps.ts";

const count = () => z.int().min(1).optional();
const formats = () => listOf(z.string()).optional();
const flag = () => z.boolean().optional();
const mediaType = () => z.string().regex(/^[a-z0-9_]+$/, 'must be of a-z, 0-9 and "_"');

const timedSchema = z.strictObject({
  max_size_mb: count(),
  allowed_formats: formats(),
  max_duration_sec: count(),
  require_metadata: flag(),
});

const contentPartSchema = z.strictObject({
  type: mediaType(),
  text: z.string().optional(),
  media: z
    .strictObject({
      mime_type: z.string(),
      file_path: z.string().optional(),
      url: z.string().optional(),
      base64: z.string().optional(),
      detail: z.enum(["low", "high", "auto"]).optional(),
      caption: z.string().optional(),
    })
    .optional(),
});

export const mediaSchema = z
  .object({
    enabled: z.boolean(),
    supported_types: listOf(mediaType()).optional(),
    image: z
      .strictObject({
        max_size_mb: count(),
        allowed_formats: formats(),
        default_detail: z.string().optional(),
        require_caption: flag(),
        max_images_per_msg: count(),
      })
      .optional(),
    audio: timedSchema.optional(),
    video: timedSchema.optional(),
    document: z
      .strictObject({
        max_size_mb: count(),
        allowed_formats: formats(),
        max_pages: count(),
        require_metadata: flag(),
        extraction_mode: z.enum(["text", "structured", "raw"]).optional(),
      })
      .optional(),
    examples: listOf(
      z.strictObject({
        name: z.string(),
        role: z.enum(["user", "assistant", "system"]),
        description: z.string().optional(),
        parts: listOf(contentPartSchema).refine(
          (parts) => parts.length > 0,
          "needs at least one part",
        ),
      }),
    ).optional(),
  })
  // Every other field is a type of media that the author has defined.
  .catchall(
    z.looseObject({
      max_size_mb: count(),
      allowed_formats: formats(),
      require_metadata: flag(),
      validation_params: z.record(z.string(), z.unknown()).optional(),
    }),
  );
