/** Connects a page with a session of an agent. What comes is shown by the schedule, once a frame at most. */
import { useEffect, useMemo, useState } from "react";
import { flushSync } from "react-dom";
import { webSocketTransport } from "../../protocol/client/web-socket-transport.ts";
import { systemClock } from "../../time/clock.ts";
import { ApiFailure } from "../api/api-failure.ts";
import { untilTokenChanges } from "../api/token.ts";
import { readTimeline } from "../sessions/session-queries.ts";
import { FlushSchedule } from "./flush-schedule.ts";
import { ChatSession, type ChatState } from "./chat-session.ts";
import { chatToken } from "./chat-token.ts";

export interface ChatPlace {
  readonly namespace: string;
  readonly name: string;
  readonly sessionId: string | undefined;
  /** Whether the caller may read sessions. */
  readonly canRead: boolean;
}

export function useChat({ namespace, name, sessionId, canRead }: ChatPlace): {
  chat: ChatSession | undefined;
  state: ChatState | undefined;
} {
  const [shown, setShown] = useState<{ chat: ChatSession; state: ChatState }>();
  useEffect(() => {
    const chat = new ChatSession({
      url: chatAddress(namespace, name),
      transport: webSocketTransport(WebSocket),
      token: chatToken(),
      clock: systemClock,
      random: Math.random,
      newMessageId: () => crypto.randomUUID(),
      sessionId,
      loadTimeline: (id, asked) =>
        canRead ? readTimeline(namespace, name, id, asked) : Promise.resolve(undefined),
      isNoSession: (error) => error instanceof ApiFailure && error.code === "NotFound",
    });
    const schedule = new FlushSchedule({
      clock: systemClock,
      onNextFrame: (callback) => void requestAnimationFrame(callback),
      flush: () => flushSync(() => setShown({ chat, state: chat.state() })),
    });
    const unfollow = chat.follow(() => schedule.ask());
    setShown({ chat, state: chat.state() });
    const left = new AbortController();
    void retryWithEachToken(chat, left.signal);
    void chat.start();
    return () => {
      left.abort();
      unfollow();
      schedule.close();
      chat.close();
    };
  }, [namespace, name, sessionId, canRead]);
  return useMemo(() => ({ chat: shown?.chat, state: shown?.state }), [shown]);
}

/** The page's own address, since the page talks to nobody else. */
function chatAddress(namespace: string, name: string): string {
  const url = new URL("/ws", location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  url.hash = "";
  url.search = new URLSearchParams({ agent: name, namespace }).toString();
  return url.href;
}

async function retryWithEachToken(chat: ChatSession, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await untilTokenChanges(signal);
    if (!signal.aborted && chat.state().line.type === "given-up") chat.retry();
  }
}
