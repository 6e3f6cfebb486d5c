/** One turn on the time rail. */
import { memo } from "react";
import { Link as LinkIcon } from "lucide-react";
import { costText } from "../../protocol/cost-text.ts";
import { CallRow } from "../chat/call-row.tsx";
import { MarkdownText } from "../markdown/markdown-text.tsx";
import { Badge } from "../parts/badge.tsx";
import { copyText } from "../parts/copy-text.ts";
import { tokensText } from "../parts/count-text.ts";
import { durationText, tookText } from "../parts/duration-text.ts";
import { IconButton } from "../parts/icon-button.tsx";
import { Note } from "../parts/note.tsx";
import { ForkButton } from "../sessions/fork-button.tsx";
import type { RailCall, RailTurn } from "./time-rail.ts";
import styles from "./timeline.module.css";

/** A shorter pause is no news. */
const PAUSE_MS = 60_000;

export const RailTurnRow = memo(function RailTurnRow({
  turn,
  longestMs,
  place,
  isNamed,
}: {
  turn: RailTurn;
  /** The longest turn of the session, which has the longest bar. */
  longestMs: number;
  place: { namespace: string; name: string; session: string };
  isNamed: boolean;
}) {
  const { id, question, answer, calls, startedAt, ms, error, warnings, usage, pauseMs } = turn;
  return (
    <div className={styles.turn} data-turn={id} data-named={isNamed}>
      <div className={styles.when}>
        {pauseMs !== undefined && pauseMs >= PAUSE_MS ? (
          <span className={styles.pause}>{durationText(pauseMs)} later</span>
        ) : undefined}
        {startedAt === undefined ? undefined : (
          <time dateTime={new Date(startedAt).toISOString()}>
            {new Date(startedAt).toLocaleString()}
          </time>
        )}
        {ms === undefined ? undefined : (
          <span className={styles.took}>
            <span className={styles.scale} aria-hidden>
              <span style={{ width: `${Math.max(1, (100 * ms) / longestMs)}%` }} />
            </span>
            {tookText(ms)}
          </span>
        )}
        {turn.firstChunkMs === undefined ? undefined : (
          <span>first words after {tookText(turn.firstChunkMs)}</span>
        )}
        {usage === undefined ? undefined : (
          <span>{tokensText(usage.input_tokens, usage.output_tokens)}</span>
        )}
        {usage?.cost === undefined ? undefined : <span>{costText(usage.cost)}</span>}
        {turn.model === undefined ? undefined : <span>{turn.model}</span>}
        <span className={styles.buttons}>
          <IconButton name="Copy a link to this turn" onClick={() => void copyText(addressOf(id))}>
            <LinkIcon aria-hidden size={15} />
          </IconButton>
          {turn.isRunning ? undefined : <ForkButton {...place} turnId={id} label="Fork here" />}
        </span>
      </div>
      <div className={styles.what}>
        {turn.newVersion === undefined ? undefined : (
          <Badge tone="quiet">{`Version ${turn.newVersion}`}</Badge>
        )}
        {turn.newState === undefined ? undefined : (
          <Badge tone="quiet">{`Workflow: ${turn.newState}`}</Badge>
        )}
        {turn.takeovers.map((replica, index) => (
          <Badge key={index} tone="warn">{`Taken over by ${replica}`}</Badge>
        ))}
        {question === undefined ? undefined : (
          <p className={styles.question}>
            <span className="unseen">User: </span>
            {question}
          </p>
        )}
        {calls.map((each) => (
          <CallOverTime key={each.call.id} {...each} />
        ))}
        {answer === "" ? undefined : <MarkdownText text={answer} isGrowing={false} />}
        {turn.isRunning ? <Badge tone="good">running</Badge> : undefined}
        {warnings.map(({ validator, message }, index) => (
          <Note key={index} tone="warn">
            Rule {validator}: {message}
          </Note>
        ))}
        {error === undefined ? undefined : (
          <Note tone="bad">
            <Badge tone="bad">{error.code}</Badge>
            <p>{error.message}</p>
          </Note>
        )}
        {turn.finishReason === undefined || turn.finishReason === "stop" ? undefined : (
          <p className={styles.quiet}>Ended: {turn.finishReason}</p>
        )}
      </div>
    </div>
  );
});

function CallOverTime({ call, bar, depth }: RailCall) {
  return (
    <div style={{ marginLeft: 16 * Math.min(depth, 8) }}>
      {bar === undefined ? undefined : (
        <div className={styles.barPlace} aria-hidden>
          <span
            className={styles.bar}
            data-outcome={call.outcome}
            style={{ left: `${100 * bar.from}%`, width: `max(3px, ${100 * bar.length}%)` }}
          />
        </div>
      )}
      <CallRow call={call} answer={undefined} />
    </div>
  );
}

function addressOf(turnId: string): string {
  return `${location.origin}${location.pathname}#turn=${encodeURIComponent(turnId)}`;
}
