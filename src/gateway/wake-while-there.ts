import type { Duplex } from "node:stream";
import type { AgentReference, Route, WakeAgent } from "./choose-replica.ts";

/**
 * Starts an agent for a client, and gives up when the client leaves or the gateway ends. Nobody reads from the socket of the client
 * meanwhile, so that it has to be looked for its end.
 */
export async function wakeWhileThere(
  wake: WakeAgent,
  agent: AgentReference,
  {
    socket,
    signals: { left, closing },
  }: { socket: Duplex; signals: { left: AbortSignal; closing: AbortSignal } },
): Promise<Route> {
  const gone = new AbortController();
  const onGone = (): void => {
    gone.abort(new Error("the client has left"));
    socket.destroy();
  };
  // What the client sends before it has an answer stays in the buffer. Reading nothing from it makes its end known.
  const look = (): void => void socket.read(0);
  socket.on("readable", look).once("end", onGone);
  try {
    return await wake(agent, AbortSignal.any([left, closing, gone.signal]));
  } finally {
    socket.off("readable", look).off("end", onGone);
  }
}
