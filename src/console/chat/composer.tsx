/** Where messages are written. */
import { useEffect, useEffectEvent, useRef, useState } from "react";
import { Button } from "../parts/button.tsx";
import { useShortcut } from "../keyboard/shortcuts.ts";
import { keepDraft, readDraft } from "./draft.ts";
import styles from "./chat.module.css";

const STOP = { keys: "Escape", description: "Stop the answer", inFields: true };
const FOCUS = { keys: "/", description: "Write a message" };

export function Composer({
  about,
  isBusy,
  isReady,
  returned,
  onSend,
  onStop,
}: {
  /** The conversation that the draft belongs to. */
  about: string;
  isBusy: boolean;
  isReady: boolean;
  /** A message that was not taken comes back. */
  returned: string | undefined;
  onSend: (content: string) => void;
  onStop: () => void;
}) {
  const [draft, setDraft] = useState(() => readDraft(sessionStorage, about));
  const field = useRef<HTMLTextAreaElement>(null);
  const change = (text: string): void => {
    setDraft(text);
    keepDraft(sessionStorage, about, text);
  };
  useEffect(() => {
    if (returned !== undefined) setDraft((typed) => (typed === "" ? returned : typed));
  }, [returned]);
  // A session has no name before its first message. Its draft comes along when it is named.
  const kept = useRef(about);
  const move = useEffectEvent((from: string, to: string) => {
    keepDraft(sessionStorage, from, "");
    keepDraft(sessionStorage, to, draft);
  });
  useEffect(() => {
    if (kept.current !== about) move(kept.current, about);
    kept.current = about;
  }, [about]);
  const canSend = isReady && !isBusy && draft.trim() !== "";
  const send = (): void => {
    if (!canSend) return;
    onSend(draft);
    change("");
  };
  useShortcut(STOP, () => {
    if (!isBusy) return false;
    onStop();
  });
  useShortcut(FOCUS, () => field.current?.focus());
  return (
    <form
      className={styles.composer}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <label className="unseen" htmlFor="message">
        Your message
      </label>
      <textarea
        ref={field}
        id="message"
        rows={1}
        dir="auto"
        value={draft}
        placeholder="Write a message"
        onChange={(event) => change(event.target.value)}
        onKeyDown={(event) => {
          const isSent = event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing;
          if (!isSent) return;
          event.preventDefault();
          send();
        }}
      />
      {isBusy ? (
        <Button onClick={onStop}>Stop</Button>
      ) : (
        <Button type="submit" look="primary" disabled={!canSend}>
          Send
        </Button>
      )}
    </form>
  );
}
