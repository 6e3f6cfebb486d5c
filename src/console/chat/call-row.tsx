/** One call of a tool: a line that unfolds. */
import { useState } from "react";
import {
  CircleCheck,
  CircleHelp,
  CircleX,
  Hand,
  LoaderCircle,
  ThumbsDown,
  ThumbsUp,
} from "lucide-react";
import type { AnswerFrame } from "../../protocol/frames.ts";
import { tookText } from "../parts/duration-text.ts";
import { LongText } from "./long-text.tsx";
import { shortValue } from "./short-value.ts";
import type { Call, CallOutcome } from "./turn-parts.ts";
import styles from "./chat.module.css";

const OUTCOMES: Readonly<Record<CallOutcome, { words: string; Icon: typeof CircleCheck }>> = {
  running: { words: "runs", Icon: LoaderCircle },
  ok: { words: "done", Icon: CircleCheck },
  error: { words: "failed", Icon: CircleX },
  unknown: { words: "outcome not known: it may have had an effect", Icon: CircleHelp },
  waiting: { words: "waits for your approval", Icon: Hand },
  decided: { words: "was decided on", Icon: Hand },
};
const ANSWERED = {
  approve: { words: "approved", Icon: ThumbsUp },
  deny: { words: "denied", Icon: ThumbsDown },
};

export function CallRow({ call, answer }: { call: Call; answer: AnswerFrame["type"] | undefined }) {
  const { name, outcome, ms, error, state } = call;
  const isOpenFromStart = outcome === "error" || outcome === "unknown";
  const [toggled, setToggled] = useState<boolean>();
  const isOpen = toggled ?? isOpenFromStart;
  const isAnswered = answer !== undefined && (outcome === "waiting" || outcome === "decided");
  const { words, Icon } = isAnswered ? ANSWERED[answer] : OUTCOMES[outcome];
  return (
    <details
      className={styles.call}
      data-outcome={outcome}
      open={isOpen}
      onToggle={(event) => {
        if (event.currentTarget.open !== isOpen) setToggled(event.currentTarget.open);
      }}
    >
      <summary>
        <span className={styles.callName}>
          <bdi>{name === "" ? "a tool" : name}</bdi>
        </span>
        {call.arguments === undefined ? undefined : (
          <code className={styles.callArguments}>{shortValue(call.arguments)}</code>
        )}
        {ms === undefined ? undefined : <span className={styles.callTime}>{tookText(ms)}</span>}
        <span className={styles.callOutcome}>
          <Icon aria-hidden size={15} /> {words}
        </span>
      </summary>
      {isOpen ? (
        <div className={styles.callBody}>
          <Value name="Arguments" value={call.arguments} />
          {error === undefined ? (
            <Value name="Result" value={call.result} />
          ) : (
            <LongText name="Error" text={error} />
          )}
          {outcome === "unknown" ? (
            <p className={styles.quiet}>
              The call was begun, and its result never came. Find out what it did before you ask
              again.
            </p>
          ) : undefined}
          {state === undefined ? undefined : (
            <p className={styles.quiet}>
              Moved the workflow to <bdi>{state}</bdi>.
            </p>
          )}
        </div>
      ) : undefined}
    </details>
  );
}

/** A result that is a text is shown as it is, since it often is Markdown or lines. */
function Value({ name, value }: { name: string; value: unknown }) {
  if (value === undefined) return null;
  const text = typeof value === "string" ? value : JSON.stringify(value, undefined, 2);
  return <LongText name={name} text={text} />;
}
