/** What `/readyz` answers. `Management` writes it, and who looks after replicas reads it. */
import * as z from "zod";

/** What a reason can be about: the parts of an agent for which somebody else is to blame, each with a condition of its own. */
const SUBJECTS = ["session-store", "provider"] as const;

/** Why a process cannot do its work now, in a sentence for people that holds no secret. */
export interface NotReadyReason {
  readonly about?: (typeof SUBJECTS)[number] | undefined;
  readonly message: string;
}

/** The answer may come from an image of somebody else, so no more of it is read. The rest is left out. */
const MAX_REASONS = 16;
const MAX_MESSAGE_LENGTH = 1024;

const messageSchema = z.string().min(1);
const detailSchema = z.object({
  about: z.enum(SUBJECTS).optional().catch(undefined),
  message: messageSchema,
});
const notReadySchema = z.object({
  reasons: z.array(messageSchema).min(1),
  /** The same reasons with what they are about, where that is known. */
  details: z.array(detailSchema).optional().catch(undefined),
});

/** The body of the answer of a process that is not ready. Older readers know `reasons` alone. */
export function notReadyAnswer(reasons: readonly NotReadyReason[]): object {
  const details = reasons.filter(({ about }) => about !== undefined);
  return {
    status: "not ready",
    reasons: reasons.map(({ message }) => message),
    ...(details.length > 0 && { details }),
  };
}

/** `undefined` when the body is no such answer. */
export function readNotReadyAnswer(body: string): NotReadyReason[] | undefined {
  let parsed;
  try {
    parsed = notReadySchema.safeParse(JSON.parse(body));
  } catch {
    return undefined;
  }
  if (!parsed.success) return undefined;
  const { reasons, details = [] } = parsed.data;
  return reasons.slice(0, MAX_REASONS).map((message) => ({
    about: details.find((detail) => detail.message === message)?.about,
    message: message.slice(0, MAX_MESSAGE_LENGTH),
  }));
}
