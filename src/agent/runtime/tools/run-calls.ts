import type { Turn, TurnEvent } from "../../contracts/handler.ts";
import type { ToolMessage } from "../../sessions/history-message.ts";
import { toolMessage } from "./tool-message.ts";
import type { ToolRun } from "./tool-runs.ts";

/** Runs the calls of one step at the same time, and remembers their results in the order of the calls. */
export async function runCalls(
  turn: Turn,
  runs: readonly ToolRun[],
  { remember, stop }: { remember: (message: ToolMessage) => void; stop: AbortController },
): Promise<void> {
  const emit = oneAtATime(turn);
  const calls = runs.filter(({ isCall }) => isCall);
  // They are emitted in the same moment, so that they are stored in one step.
  await Promise.all(
    calls.map(({ id, name, arguments: toolArguments }) =>
      turn.emit({ type: "tool-call", id, name, arguments: toolArguments }),
    ),
  );
  if (calls.length > 0) await turn.stored();
  const ended = await Promise.allSettled(
    runs.map(async (run): Promise<ToolMessage> => {
      try {
        const outcome = await run.start();
        if (run.isCall) await emit({ type: "tool-result", id: run.id, ...outcome });
        return toolMessage(turn.id, run, outcome);
      } catch (error) {
        stop.abort(error);
        throw error;
      }
    }),
  );
  for (const end of ended) if (end.status === "fulfilled") remember(end.value);
  turn.signal.throwIfAborted();
  for (const end of ended) if (end.status === "rejected") throw end.reason;
}

/** A turn takes one event after the other, and results may come at the same time. */
function oneAtATime(turn: Turn): (event: TurnEvent) => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return (event) => (last = last.then(() => turn.emit(event)));
}
