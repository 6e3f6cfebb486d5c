/** What there is to know of an answer, and to do with it. */
import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { GitFork, Link as LinkIcon } from "lucide-react";
import type { AgentDetail } from "../../http-api/agent-views.ts";
import { costText } from "../../protocol/cost-text.ts";
import { copyText } from "../parts/copy-text.ts";
import { CopyButton } from "../parts/copy-button.tsx";
import { tokensText } from "../parts/count-text.ts";
import { tookText } from "../parts/duration-text.ts";
import { Failure } from "../parts/failure.tsx";
import { IconButton } from "../parts/icon-button.tsx";
import { forkSession } from "../sessions/session-queries.ts";
import { textOf } from "./turn-parts.ts";
import type { TurnView } from "./turn-view.ts";
import styles from "./chat.module.css";

export function TurnFoot({
  turn,
  agent,
  sessionId,
}: {
  turn: TurnView;
  agent: AgentDetail;
  sessionId: string | undefined;
}) {
  const { namespace, name } = agent;
  const navigate = useNavigate();
  const fork = useMutation({
    mutationFn: ({ session, turnId }: { session: string; turnId: string }) =>
      forkSession(namespace, name, session, turnId),
    onSuccess: (session) =>
      navigate({
        to: "/agents/$namespace/$name",
        params: { namespace, name },
        search: { session },
      }),
  });
  const { usage } = turn;
  const facts = [
    turn.model,
    turn.packVersion === undefined ? undefined : `version ${turn.packVersion}`,
    usage === undefined ? undefined : tokensText(usage.input_tokens, usage.output_tokens),
    usage?.cost === undefined ? undefined : costText(usage.cost),
    turn.firstChunkMs === undefined
      ? undefined
      : `first words after ${tookText(turn.firstChunkMs)}`,
    turn.totalMs === undefined ? undefined : `${tookText(turn.totalMs)} in all`,
  ].filter((fact) => fact !== undefined);
  const { id: turnId } = turn;
  return (
    <footer className={styles.foot}>
      <span>{facts.join(" · ")}</span>
      <span className={styles.footButtons}>
        <CopyButton text={textOf(turn.parts)} name="Copy the answer" />
        {sessionId === undefined || turnId === undefined || !agent.can.sessions ? undefined : (
          <>
            <IconButton
              name="Copy a link to this turn"
              onClick={() => void copyText(linkTo(namespace, name, sessionId, turnId))}
            >
              <LinkIcon aria-hidden size={15} />
            </IconButton>
            <IconButton
              name="Fork: go on from here in another session"
              onClick={() => fork.mutate({ session: sessionId, turnId })}
              disabled={fork.isPending}
            >
              <GitFork aria-hidden size={15} />
            </IconButton>
          </>
        )}
      </span>
      {fork.error === null ? undefined : <Failure error={fork.error} />}
    </footer>
  );
}

function linkTo(namespace: string, name: string, session: string, turnId: string): string {
  const path = ["agents", namespace, name, "sessions", session].map(encodeURIComponent).join("/");
  return `${location.origin}/${path}#turn=${encodeURIComponent(turnId)}`;
}
