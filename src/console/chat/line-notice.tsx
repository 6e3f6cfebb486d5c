/** What there is to say of the connection. */
import { useNow } from "../parts/now.ts";
import { Button } from "../parts/button.tsx";
import { Note } from "../parts/note.tsx";
import type { Line } from "./chat-session.ts";

/** A short change of replicas is not worth a word. */
const QUIET_MS = 1_500;

export function LineNotice({
  line,
  isBusy,
  onRetry,
}: {
  line: Line;
  isBusy: boolean;
  onRetry: () => void;
}) {
  const now = useNow();
  switch (line.type) {
    case "open":
      return null;
    case "connecting":
      return now - line.since < QUIET_MS ? null : <Note>Connecting to the agent…</Note>;
    case "lost":
      if (now - line.since < QUIET_MS) return null;
      return (
        <Note tone="warn">
          <p role="status">
            The connection is lost, and is tried again.
            {isBusy ? " The answer goes on at the agent, and will be shown whole." : ""}
          </p>
        </Note>
      );
    case "given-up":
      return (
        <Note tone="bad">
          <p role="alert">
            {line.code === "unauthorized"
              ? "You are signed out: your token has ended. Sign in again, and the conversation goes on here."
              : `There is no connection to the agent: ${line.message}`}
          </p>
          <Button onClick={onRetry}>Try again</Button>
        </Note>
      );
  }
}
