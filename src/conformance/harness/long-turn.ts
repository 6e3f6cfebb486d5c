/** A turn that takes long, for checks of what happens while it runs. */
import type { TurnFrame } from "../../protocol/frames.ts";
import type { CheckContext, HandlerHint } from "./check.ts";
import { CheckSkipped } from "./check-failed.ts";
import type { ProbeConnection } from "./probe-connection.ts";

const LONG_MESSAGES: Readonly<Record<HandlerHint, string>> = {
  echo: "hello",
  demo: "hello",
  unknown: "Count from 1 to 200 in words, one number a line, and say nothing else.",
};

export interface RunningTurn {
  readonly connection: ProbeConnection;
  readonly sessionId: string;
  /** The first frame of the turn, which is not its last one. */
  readonly first: TurnFrame;
}

/** Begins a turn in a new session and reads its first frame. The check is skipped when that is also the last one. */
export async function beginLongTurn(
  context: CheckContext,
  more: object = {},
): Promise<RunningTurn> {
  if (context.handler === "echo") throw new CheckSkipped("an echo ends its turns at once");
  const connection = await context.connect();
  const { session_id: sessionId } = await connection.nextConnected();
  connection.say(LONG_MESSAGES[context.handler], more);
  const first = await connection.nextOfTurn();
  if (first.type === "done" || first.type === "error") throw tooShort();
  return { connection, sessionId, first };
}

/** The check could not be made in time, because the turn had ended. */
export function tooShort(): CheckSkipped {
  return new CheckSkipped("the turn ended too soon to look into it");
}
