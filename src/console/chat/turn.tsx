/** One message and its answer. */
import { memo } from "react";
import type { AgentDetail } from "../../http-api/agent-views.ts";
import { Badge } from "../parts/badge.tsx";
import { Button } from "../parts/button.tsx";
import { Note } from "../parts/note.tsx";
import { MarkdownText } from "../markdown/markdown-text.tsx";
import { Calls } from "./calls.tsx";
import type { ChatSession, ChatState } from "./chat-session.ts";
import { Countdown } from "./countdown.tsx";
import { Divider } from "./divider.tsx";
import { TurnFoot } from "./turn-foot.tsx";
import { isRunning, type TurnView } from "./turn-view.ts";
import { WaitingFor } from "./waiting-for.tsx";
import styles from "./chat.module.css";

const END_WORDS: Readonly<Record<string, string>> = {
  length: "The answer reached a limit on its length",
  tool_limit: "The turn made as many rounds of tool calls as it may",
  content_filter: "A content filter of the provider withheld the rest",
  cancelled: "Stopped",
};

export const Turn = memo(function Turn({
  turn,
  previousVersion,
  answers,
  chat,
  agent,
  sessionId,
}: {
  turn: TurnView;
  previousVersion: string | undefined;
  answers: ChatState["answers"];
  chat: ChatSession;
  agent: AgentDetail;
  sessionId: string | undefined;
}) {
  const { question, parts, phase, finishReason, error, warnings, workflowState } = turn;
  const running = isRunning(turn);
  const hasNewVersion =
    previousVersion !== undefined &&
    turn.packVersion !== undefined &&
    previousVersion !== turn.packVersion;
  const takenOver = turn.replicas.length > 1;
  const brokenAfter = takenOver || running ? turn.brokenAfter : undefined;
  const place = takenOver ? (brokenAfter ?? parts.length) : brokenAfter;
  const divider = takenOver ? <TakenOver replicas={turn.replicas} /> : <Broken />;
  const lastText = parts.findLastIndex(({ type }) => type === "text");
  return (
    <article className={styles.turn} data-turn={turn.id ?? ""} data-phase={phase} tabIndex={-1}>
      {hasNewVersion ? (
        <Divider>
          The pack has another version from here on: <code>{turn.packVersion}</code>
        </Divider>
      ) : undefined}
      {question === undefined ? undefined : (
        <div className={styles.question}>
          <h3 className="unseen">You</h3>
          {question}
        </div>
      )}
      <div className={styles.answer}>
        <h3 className="unseen">{agent.name}</h3>
        {turn.isCut ? (
          <p className={styles.quiet}>The beginning of this answer did not come.</p>
        ) : undefined}
        {parts.map((part, index) => (
          <div key={index}>
            {index === place ? divider : undefined}
            {part.type === "text" ? (
              <MarkdownText text={part.text} isGrowing={running && index === lastText} />
            ) : (
              <Calls calls={part.calls} answers={answers} chat={chat} />
            )}
          </div>
        ))}
        {place !== undefined && place >= parts.length ? divider : undefined}
        {phase === "waiting" ? <WaitingFor since={turn.startedAt} /> : undefined}
        {error === undefined ? undefined : <TurnFailure turn={turn} error={error} chat={chat} />}
        {warnings.map(({ validator, message }, index) => (
          <Note key={index} tone="warn">
            <Badge tone="warn">{`Rule: ${validator}`}</Badge>
            <p>{message}</p>
          </Note>
        ))}
        {finishReason !== undefined && END_WORDS[finishReason] !== undefined ? (
          <p className={styles.quiet}>{END_WORDS[finishReason]}.</p>
        ) : undefined}
        {workflowState === undefined || running ? undefined : (
          <p className={styles.quiet}>
            Workflow: <bdi>{workflowState}</bdi>
          </p>
        )}
        {running || turn.id === undefined ? undefined : (
          <TurnFoot turn={turn} agent={agent} sessionId={sessionId} />
        )}
      </div>
    </article>
  );
});

function Broken() {
  return (
    <Divider>
      The connection broke here. The answer goes on; if its replica ended, another one takes it over
      within 15 s
    </Divider>
  );
}

function TakenOver({ replicas }: { replicas: readonly string[] }) {
  return (
    <Divider>
      The replica ended in the middle; <bdi>{replicas.at(-1)}</bdi> took the answer over
    </Divider>
  );
}

function TurnFailure({
  turn: { question, endedAt },
  error: { code, message, details },
  chat,
}: {
  turn: TurnView;
  error: NonNullable<TurnView["error"]>;
  chat: ChatSession;
}) {
  const seconds = details?.["retry_after"];
  const until =
    typeof seconds === "number" && endedAt !== undefined ? endedAt + seconds * 1_000 : undefined;
  return (
    <Note tone="bad">
      <Badge tone="bad">{code}</Badge>
      <p>{message}</p>
      {question === undefined ? undefined : (
        <Countdown until={until}>
          {(left) => (
            <Button disabled={left > 0} onClick={() => chat.send(question)}>
              {left > 0 ? `Ask again in ${left} s` : "Ask again"}
            </Button>
          )}
        </Countdown>
      )}
    </Note>
  );
}
