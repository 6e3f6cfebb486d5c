/** The form of a recorded conversation: what the model answered, so that it can be judged again without a network. */
import { hash } from "node:crypto";
import { z } from "zod";
import { turnRecordSchema } from "./transcript.ts";

const RECORDING_VERSION = 1;
export const MAX_RECORDING_BYTES = 16 * 1024 * 1024;

const recordingSchema = z.strictObject({
  version: z.literal(RECORDING_VERSION),
  id: z.string(),
  /** What was asked: the hash of the pack's content, and its own version. Unset for an agent that was asked by its address. */
  pack: z.strictObject({ hash: z.string(), version: z.string(), prompt: z.string() }).optional(),
  model: z.string().optional(),
  turns: z.array(turnRecordSchema),
  /** Why the conversation went no further. */
  failure: z.string().optional(),
  /** What a model that judges answered, by the key of its request. */
  judgements: z.record(z.string(), z.string()),
});

export type Recording = z.output<typeof recordingSchema>;

/** What a model that judges is asked. */
export interface JudgeRequest {
  readonly system: string;
  readonly content: string;
  /** The model that the eval names. */
  readonly model: string | undefined;
}

/** A request has another key when anything in it changes. */
export function judgementKey({ system, content, model }: JudgeRequest): string {
  return hash("sha256", JSON.stringify([system, content, model ?? ""])).slice(0, 32);
}

export function newRecording(about: Omit<Recording, "version">): Recording {
  return { version: RECORDING_VERSION, ...about };
}

export function readRecording(text: string): Recording | undefined {
  try {
    const read = recordingSchema.safeParse(JSON.parse(text));
    return read.success ? read.data : undefined;
  } catch {
    return undefined;
  }
}
