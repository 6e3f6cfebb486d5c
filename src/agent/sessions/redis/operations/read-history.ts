import type { HistoryMessage } from "../../history-message.ts";
import { parseStoredMessage } from "../../stored-values.ts";
import { asArray, asText } from "../script/reply.ts";
import { sessionOperation } from "../script/session-operation.ts";

/** The script answers the messages as JSON. It does not count as activity. */
export const readHistory = sessionOperation({
  arguments: {},
  lua: `
local session = load()
if not session then return {} end
local messages = redis.call('LRANGE', messagesKey, 0, -1)
if #messages ~= session.messages then corrupt('there are not as many messages as there were') end
return messages
`,
  encode: () => ({}),
  read: (reply): HistoryMessage[] =>
    asArray(reply).map((message) => parseStoredMessage(asText(message))),
});
