import { NO_COUNTS, type SessionCounts } from "../../session-counts.ts";
import type { ListedSession } from "../../session-listing.ts";
import { titleOf } from "../../session-title.ts";
import { parseStoredMessage } from "../../stored-values.ts";
import { parseStoredRecord } from "../../turn-record.ts";
import { asArray, asNumber, asText } from "../script/reply.ts";
import { readStoredCost } from "../script/stored-cost.ts";
import { sessionOperation } from "../script/session-operation.ts";

/** What a list tells of a session. Its last activity is told by the index. */
export type DescribedSession = Omit<ListedSession, "id" | "lastActiveAt">;

/**
 * Describes a session of this agent, without counting as activity. The script answers nil, or what `describe(session)` gives.
 */
export const describeSession = sessionOperation({
  arguments: {},
  lua: `
local session = loadOfAgent()
return session and describe(session)
`,
  encode: () => ({}),
  read: (reply): DescribedSession | undefined =>
    reply === null ? undefined : readDescription(asArray(reply)),
});

/** Reads what `describe(session)` of a script answers. */
export function readDescription(reply: readonly unknown[]): DescribedSession {
  const [owner, title, created, left, now, turn, waiting, version, summary, last, first, cost] =
    reply;
  const record = parseStoredRecord(asText(last));
  const expiresAt = asNumber(now) + Math.max(0, asNumber(left));
  return {
    owner: asText(owner),
    title: typeof title === "string" ? title : titleOfFirst(asText(first)),
    createdAt: created === null ? asNumber(now) : asNumber(created),
    expiresAt,
    ...readCounts(asText(summary)),
    cost: readStoredCost(asText(cost)),
    state:
      turn !== ""
        ? "running"
        : waiting !== ""
          ? "waiting"
          : record?.error === undefined
            ? "idle"
            : "failed",
    packVersion: asText(version) || undefined,
    workflowState: record?.workflowState,
  };
}

function readCounts(summary: string): SessionCounts {
  const counts = /^(\d+) (\d+) (\d+) (\d+) \d+$/.exec(summary)?.slice(1).map(Number);
  if (counts === undefined) return NO_COUNTS;
  const [turns = 0, toolCalls = 0, inputTokens = 0, outputTokens = 0] = counts;
  return { turns, toolCalls, inputTokens, outputTokens };
}

/** Earlier versions wrote no title. */
function titleOfFirst(message: string): string {
  if (message === "") return "";
  const first = parseStoredMessage(message);
  return first.role === "user" ? titleOf(first.content) : "";
}
