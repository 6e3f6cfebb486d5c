import { asArray, asText, unexpectedReply } from "../script/reply.ts";
import { sessionOperation } from "../script/session-operation.ts";

export type CancelledTurn =
  | { status: "none" }
  /** `replica` is the process that runs the turn, or ran it. */
  | { status: "requested" | "abandoned"; turnId: string; replica: string };

/** The script answers 'none' · 'requested' or 'abandoned', turn id, replica. */
export const cancelTurn = sessionOperation({
  arguments: { owner: "text" },
  lua: `
local session = loadOf(owner)
if not session or session.turn == '' then return { 'none' } end
session.cancel = 1
save(session)
touch(session)
return { isRunning(session) and 'requested' or 'abandoned', session.turn, session.replica }
`,
  encode: ({ owner }: { owner: string }) => ({ owner }),
  read(reply): CancelledTurn {
    const [status, turnId, replica] = asArray(reply);
    switch (status) {
      case "none":
        return { status };
      case "requested":
      case "abandoned":
        return { status, turnId: asText(turnId), replica: asText(replica) };
      default:
        throw unexpectedReply();
    }
  },
});
