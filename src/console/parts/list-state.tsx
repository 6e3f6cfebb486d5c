/** What surrounds a list: that it is not there yet, that it is empty, or that it may be old. */
import type { ReactNode } from "react";
import type { List } from "../api/use-list.ts";
import { durationText } from "./duration-text.ts";
import { Failure } from "./failure.tsx";
import { Note } from "./note.tsx";
import { useNow } from "./now.ts";
import styles from "./list-state.module.css";

export function ListState({
  list: { items, error, live },
  empty,
  children,
}: {
  list: List<unknown>;
  /** What is shown where there is nothing. */
  empty: ReactNode;
  children: ReactNode;
}) {
  if (items === undefined) {
    // Why it is not there is said by the frame of the page.
    if (live.status === "signed-out") return undefined;
    return error === null ? <p role="status">Loading …</p> : <Failure error={error} />;
  }
  const isOld = live.status === "reconnecting" && live.lostAt !== undefined;
  return (
    <>
      {isOld ? <OldNote lostAt={live.lostAt} /> : undefined}
      <div className={styles.list} data-old={isOld}>
        {items.length === 0 ? empty : children}
      </div>
    </>
  );
}

function OldNote({ lostAt }: { lostAt: number }) {
  const now = useNow();
  return (
    <Note tone="warn">
      <p role="status">
        Omnia does not answer. This is what it said{" "}
        <span aria-live="off">{durationText(now - lostAt)}</span> ago.
      </p>
    </Note>
  );
}
