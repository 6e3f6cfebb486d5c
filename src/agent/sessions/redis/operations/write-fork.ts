import type { ForkedParts } from "../../plan-fork.ts";
import type { SessionClient } from "../../session-client.ts";
import { MESSAGE_OVERHEAD_BYTES, SessionExistsError } from "../../session-store.ts";
import { asArray } from "../script/reply.ts";
import { AGENT_FIELD, COST_FIELD, HOLDER_FIELD, OWNER_FIELD } from "../script/session-functions.ts";
import { sessionOperation } from "../script/session-operation.ts";
import { storedCost } from "../script/stored-cost.ts";
import { readShare, type SessionShare } from "../script/session-share.ts";

export interface WriteForkInput {
  readonly client: SessionClient;
  /** The session that it is made out of. */
  readonly sourceId: string;
  readonly title: string;
  readonly parts: ForkedParts;
}

/** The script answers share, or 0 when the id is taken; then SessionExistsError is thrown. */
export const writeFork = sessionOperation({
  arguments: {
    owner: "text",
    holder: "text",
    forkOf: "text",
    title: "text",
    version: "text",
    summary: "text",
    cost: "text",
    messages: "list",
    records: "list",
  },
  lua: `
local session = load()
if session then
  if session.fence > 0 or session.owner ~= owner or redis.call('HGET', sessionKey, 'fork') ~= forkOf then return 0 end
else
  session = newSession(holder)
  session.version, session.summary, session.messages = version, summary, messagesCount
  for at = messagesAt, messagesAt + messagesCount - 1 do
    redis.call('RPUSH', messagesKey, ARGV[at])
    session.history = session.history + messageBytes(ARGV[at])
  end
  for at = recordsAt, recordsAt + recordsCount - 1 do redis.call('RPUSH', turnLogKey, ARGV[at]) end
  redis.call('HSET', sessionKey, '${OWNER_FIELD}', owner, '${HOLDER_FIELD}', holder, '${AGENT_FIELD}', agent,
    'created', now, 'title', title, 'fork', forkOf)
  if cost ~= '' then redis.call('HSET', sessionKey, '${COST_FIELD}', cost) end
  save(session)
end
touch(session)
return shareOf(session)
`,
  encode: ({ client, sourceId, title, parts }: WriteForkInput) => {
    const { messages, records, counts, packVersion } = parts;
    const { turns, toolCalls, inputTokens, outputTokens } = counts;
    let bytes = 0;
    for (const record of records) bytes += Buffer.byteLength(record) + MESSAGE_OVERHEAD_BYTES;
    return {
      owner: client.owner,
      holder: client.holder,
      forkOf: sourceId,
      title,
      version: packVersion ?? "",
      summary: [turns, toolCalls, inputTokens, outputTokens, bytes].join(" "),
      cost: storedCost(counts.cost),
      messages,
      records,
    };
  },
  read(reply): SessionShare {
    if (reply === 0) throw new SessionExistsError("there is a session with this id already");
    return readShare(asArray(reply));
  },
});
