import { asArray, asText, unexpectedReply } from "../script/reply.ts";
import { sessionOperation } from "../script/session-operation.ts";

export type CancelledTurn =
  | { status: "none" }
  /** `owner` is the process that runs the turn, or ran it. */
  | { status: "requested" | "abandoned"; turnId: string; owner: string };

/** The script answers 'none' · 'requested' or 'abandoned', turn id, owner. */
export const cancelTurn = sessionOperation({
  arguments: {},
  lua: `
local session = load()
if not session or session.turn == '' then return { 'none' } end
session.cancel = 1
save(session)
touch(session)
return { isRunning(session) and 'requested' or 'abandoned', session.turn, session.owner }
`,
  encode: () => ({}),
  read(reply): CancelledTurn {
    const [status, turnId, owner] = asArray(reply);
    switch (status) {
      case "none":
        return { status };
      case "requested":
      case "abandoned":
        return { status, turnId: asText(turnId), owner: asText(owner) };
      default:
        throw unexpectedReply();
    }
  },
});
