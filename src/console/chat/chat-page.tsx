/** Talks with an agent. */
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useMemo, useState } from "react";
import type { AgentDetail } from "../../http-api/agent-views.ts";
import { agentQuery } from "../api/queries.ts";
import { ExplainCard } from "../parts/explain-card.tsx";
import { Failure } from "../parts/failure.tsx";
import { Note } from "../parts/note.tsx";
import { ForkButton } from "../sessions/fork-button.tsx";
import type { ChatState } from "./chat-session.ts";
import { isPending } from "./conversation.ts";
import { Announcer } from "./announcer.tsx";
import { Composer } from "./composer.tsx";
import { ConversationLog } from "./conversation-log.tsx";
import { EmptyConversation } from "./empty-conversation.tsx";
import { Facts } from "./facts.tsx";
import { LineNotice } from "./line-notice.tsx";
import { RefusalNotice } from "./refusal-notice.tsx";
import { SessionGone } from "./session-gone.tsx";
import { isRunning, turnViews } from "./turn-view.ts";
import { useChat } from "./use-chat.ts";
import styles from "./chat.module.css";

const route = getRouteApi("/agents/$namespace/$name/");

export function ChatPage() {
  const { namespace, name } = route.useParams();
  const { session } = route.useSearch();
  const { data: agent, error, refetch } = useQuery(agentQuery(namespace, name));
  const opened = useOpened(`${namespace}/${name}`, session);
  if (agent === undefined) {
    return error === null ? (
      <p className={styles.quiet}>Loading…</p>
    ) : (
      <Failure error={error} retry={() => void refetch()} />
    );
  }
  if (!agent.can.chat) {
    return <p className={styles.quiet}>You may see this agent, and may not talk with it.</p>;
  }
  return (
    <Chat key={opened.key} agent={agent} sessionId={opened.sessionId} onSession={opened.enter} />
  );
}

/** A conversation stays open while its address comes to name the session that it began. */
function useOpened(agent: string, session: string | undefined) {
  const [own, setOwn] = useState<{ agent: string; session: string }>();
  const [opened, setOpened] = useState({ agent, sessionId: session, count: 0 });
  const isOwn = own?.agent === agent && own.session === session;
  const isOpen = opened.agent === agent && opened.sessionId === session;
  useEffect(() => {
    if (isOpen || isOwn) return;
    setOwn(undefined);
    setOpened(({ count }) => ({ agent, sessionId: session, count: count + 1 }));
  }, [agent, session, isOpen, isOwn]);
  return {
    key: opened.count,
    sessionId: opened.sessionId,
    enter: (entered: string) => setOwn({ agent, session: entered }),
  };
}

function Chat({
  agent,
  sessionId,
  onSession,
}: {
  agent: AgentDetail;
  sessionId: string | undefined;
  onSession: (sessionId: string) => void;
}) {
  const { namespace, name } = agent;
  const navigate = useNavigate();
  const place = { namespace, name, sessionId, canRead: agent.can.sessions };
  const { chat, state } = useChat(place);
  const current = state?.conversation.sessionId;
  const isUsed = state?.conversation.turns.some((turn) => !isPending(turn)) === true;
  const enter = useEffectEvent((entered: string) => {
    if (entered === sessionId) return;
    onSession(entered);
    void navigate({
      to: "/agents/$namespace/$name",
      params: { namespace, name },
      search: { session: entered },
      replace: true,
    });
  });
  useEffect(() => {
    if (current !== undefined && isUsed) enter(current);
  }, [current, isUsed]);
  const conversation = state?.conversation;
  const turns = useMemo(
    () => (conversation === undefined ? [] : turnViews(conversation)),
    [conversation],
  );
  const isReady = agent.ready > 0;
  useEffect(() => {
    if (isReady) chat?.agentIsReady();
  }, [isReady, chat]);
  const startNew = (): void =>
    void navigate({ to: "/agents/$namespace/$name", params: { namespace, name }, search: {} });
  if (chat === undefined || state === undefined) return null;
  if (state.isNoSession) return <SessionGone namespace={namespace} name={name} onNew={startNew} />;
  const last = turns.at(-1);
  const isBusy = last !== undefined && isRunning(last);
  const explain = isReady ? undefined : agent.explain;
  return (
    <div className={styles.page}>
      <div className={styles.column}>
        {explain !== undefined && turns.length === 0 && !state.isLoading ? undefined : (
          <ConversationLog
            chat={chat}
            state={state}
            turns={turns}
            agent={agent}
            empty={<EmptyConversation agent={agent} onSend={(text) => chat.send(text)} />}
          />
        )}
        <Announcer turn={last} />
        <div className={styles.bottom}>
          {state.isOthers || (explain !== undefined && !isSignedOut(state)) ? undefined : (
            <LineNotice line={state.line} isBusy={isBusy} onRetry={() => chat.retry()} />
          )}
          <RefusalNotice refusal={state.refusal} chat={chat} />
          {state.isOthers && sessionId !== undefined ? (
            <Note>
              <p>This conversation is somebody else’s. A copy of it is yours.</p>
              <ForkButton
                namespace={namespace}
                name={name}
                session={sessionId}
                turnId={undefined}
                label="Go on in a copy"
              />
            </Note>
          ) : explain === undefined ? (
            <Composer
              about={`${namespace}/${name}:${isUsed ? current : (sessionId ?? "")}`}
              isBusy={isBusy}
              isReady={canSend(state)}
              returned={state.refusal?.content}
              onSend={(text) => chat.send(text)}
              onStop={() => chat.cancel()}
            />
          ) : (
            <ExplainCard explain={explain} />
          )}
        </div>
      </div>
      <Facts agent={agent} state={state} turns={turns} onNew={startNew} />
    </div>
  );
}

function isSignedOut({ line }: ChatState): boolean {
  return line.type === "given-up" && line.code === "unauthorized";
}

/** A message that is sent before the line is there, or while it is lost, waits for it. */
function canSend({ line, isLoading }: ChatState): boolean {
  return !isLoading && line.type !== "given-up";
}
