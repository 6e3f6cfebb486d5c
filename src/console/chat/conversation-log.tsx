/** What was said, oldest first. It follows what comes only while one reads its end. */
import { useLayoutEffect, useRef, useState, type ReactNode } from "react";
import { ArrowDown } from "lucide-react";
import type { AgentDetail } from "../../http-api/agent-views.ts";
import { useShortcut } from "../keyboard/shortcuts.ts";
import { Button } from "../parts/button.tsx";
import { Note } from "../parts/note.tsx";
import type { ChatSession, ChatState } from "./chat-session.ts";
import { Divider } from "./divider.tsx";
import { Turn } from "./turn.tsx";
import type { TurnView } from "./turn-view.ts";
import { useFollowedEnd } from "./use-followed-end.ts";
import styles from "./chat.module.css";

/** How many turns are shown at first, and how many more each time. */
const STEP = 40;
const NEXT = { keys: "]", description: "Next message" };
const PREVIOUS = { keys: "[", description: "Previous message" };

export function ConversationLog({
  chat,
  state,
  turns,
  agent,
  empty,
}: {
  chat: ChatSession;
  state: ChatState;
  turns: readonly TurnView[];
  agent: AgentDetail;
  /** What is shown before anything was said. */
  empty: ReactNode;
}) {
  const { log, content, isAtEnd, goToEnd, onScroll } = useFollowedEnd();
  const [shownCount, setShownCount] = useState(STEP);
  const lastKey = turns.at(-1)?.key;
  const wasSentHere = state.conversation.turns.at(-1)?.sent !== undefined;
  // Whoever sends a message wants to see it.
  useLayoutEffect(() => {
    if (lastKey !== undefined && wasSentHere) goToEnd();
  }, [lastKey, wasSentHere, goToEnd]);
  const step = (by: 1 | -1): void => stepTo(log.current, by);
  useShortcut(NEXT, () => step(1));
  useShortcut(PREVIOUS, () => step(-1));
  const hidden = Math.max(0, turns.length - shownCount);
  const heightBefore = useRef<number>(undefined);
  const showEarlier = (): void => {
    heightBefore.current = log.current?.scrollHeight;
    setShownCount(shownCount + STEP);
  };
  // What one reads stays where it is.
  useLayoutEffect(() => {
    const element = log.current;
    if (element === null || heightBefore.current === undefined) return;
    element.scrollTop += element.scrollHeight - heightBefore.current;
    heightBefore.current = undefined;
  }, [shownCount, log]);
  const { conversation, isLoading, unreadable, answers } = state;
  return (
    <div className={styles.logPlace}>
      <div
        ref={log}
        className={styles.log}
        role="log"
        aria-live="off"
        aria-label="Conversation"
        tabIndex={0}
        onScroll={onScroll}
      >
        <div ref={content}>
          {conversation.endedSessionId === undefined ? undefined : (
            <Divider>
              The session before has ended: what follows is a new one, without its history
            </Divider>
          )}
          {unreadable === undefined ? undefined : (
            <Note tone="warn">What was said before cannot be shown: {unreadable}</Note>
          )}
          {conversation.forgottenUpTo === undefined ? undefined : (
            <Divider>
              A part of what was sent is no longer kept; the end of an answer holds all of it
            </Divider>
          )}
          {isLoading ? <p className={styles.quiet}>Loading what was said…</p> : undefined}
          {turns.length === 0 && !isLoading ? empty : undefined}
          {hidden > 0 ? (
            <p className={styles.earlier}>
              <Button onClick={showEarlier}>Show earlier ({hidden})</Button>
            </p>
          ) : undefined}
          {turns.slice(hidden).map((turn, index) => (
            <Turn
              key={turn.key}
              turn={turn}
              previousVersion={turns[hidden + index - 1]?.packVersion}
              answers={answers}
              chat={chat}
              agent={agent}
              sessionId={conversation.sessionId}
            />
          ))}
        </div>
      </div>
      {isAtEnd ? undefined : (
        <div className={styles.jump}>
          <Button onClick={goToEnd}>
            <ArrowDown aria-hidden size={15} /> Jump to latest
          </Button>
        </div>
      )}
    </div>
  );
}

function stepTo(log: HTMLElement | null, by: 1 | -1): void {
  if (log === null) return;
  const turns = [...log.querySelectorAll<HTMLElement>("[data-turn]")];
  const top = log.scrollTop + log.offsetTop;
  const at = turns.findLastIndex(({ offsetTop }) => offsetTop <= top + 8);
  const next = turns[Math.max(0, at + by)];
  next?.scrollIntoView({ block: "start" });
  next?.focus({ preventScroll: true });
}
