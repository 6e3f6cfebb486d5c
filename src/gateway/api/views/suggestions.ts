/** Messages with which a conversation may begin, for somebody who does not know the agent. */
import { z } from "zod";
import type { StoredAgentRuntime } from "../../resource-source.ts";

const MAX_SUGGESTIONS = 3;
const MAX_LENGTH = 200;

const DEMO = ["Hello", "I forgot my password", "What is the weather like in Berlin?"];

/** Where the author of a pack may name them. Other fields of `metadata` are for other programs. */
const metadataSchema = z.object({
  metadata: z.object({ conversation_starters: z.array(z.string().trim().min(1)) }),
});

/** `document` is that of the pack that the agent runs. */
export function suggestions(
  { spec }: Pick<StoredAgentRuntime, "spec">,
  document: Readonly<Record<string, unknown>> | undefined,
): string[] {
  switch (spec.facade.handler) {
    case "demo":
      return DEMO;
    case "echo":
      return ["Hello"];
    case "runtime": {
      const { metadata } = metadataSchema.safeParse(document).data ?? {};
      return (metadata?.conversation_starters ?? [])
        .filter(({ length }) => length <= MAX_LENGTH)
        .slice(0, MAX_SUGGESTIONS);
    }
  }
}
