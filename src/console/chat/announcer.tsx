/** Says what comes to those who do not see the page. The log itself is silent: each piece of an answer would be said. */
import { useEffect, useRef, useState } from "react";
import { systemClock } from "../../time/clock.ts";
import { nextSentences } from "./announcement.ts";
import { textOf } from "./turn-parts.ts";
import { isRunning, type TurnView } from "./turn-view.ts";

const PAUSE_MS = 2_000;

export function Announcer({ turn }: { turn: TurnView | undefined }) {
  const [said, setSaid] = useState("");
  const latest = useRef(turn);
  const progress = useRef<{ key: string; length: number; isOver: boolean }>(undefined);
  useEffect(() => {
    latest.current = turn;
    // An answer that was there when the page was opened is read, and not said.
    if (progress.current === undefined && turn !== undefined && !isRunning(turn)) {
      progress.current = { key: turn.key, length: 0, isOver: true };
    }
  }, [turn]);
  const isActive = turn !== undefined;
  useEffect(() => {
    if (!isActive) return;
    const say = (): void => {
      const current = latest.current;
      if (current === undefined) return;
      if (progress.current?.key !== current.key) {
        progress.current = { key: current.key, length: 0, isOver: false };
      }
      const known = progress.current;
      const isEnd = !isRunning(current);
      if (!known.isOver) {
        const next = nextSentences(textOf(current.parts), known.length, isEnd);
        if (next !== undefined || isEnd) {
          setSaid(`${next?.said ?? ""}${isEnd ? ` ${endOf(current)}` : ""}`.trim());
          known.length = next?.saidLength ?? known.length;
          known.isOver = isEnd;
        }
      }
      timer = systemClock.setTimer(PAUSE_MS, say);
    };
    let timer = systemClock.setTimer(PAUSE_MS, say);
    return () => timer.cancel();
  }, [isActive]);
  return (
    <div className="unseen" role="status" aria-live="polite">
      {said}
    </div>
  );
}

function endOf({ phase, error, finishReason }: TurnView): string {
  if (phase === "failed")
    return `The answer failed: ${error?.message ?? "the reason is not known"}`;
  if (phase === "approval") return "The agent asks for your approval.";
  return finishReason === "cancelled" ? "The answer was stopped." : "End of the answer.";
}
