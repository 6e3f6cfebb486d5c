/** The difference of two texts: beside each other where there is room, and below each other elsewhere. */
import { Fragment, useMemo, useState } from "react";
import { diffRows, foldRows, type DiffRow } from "./diff-rows.ts";
import styles from "./difference.module.css";

export function Difference({
  left,
  right,
  label,
}: {
  left: string;
  right: string;
  /** What is compared. */
  label: string;
}) {
  const parts = useMemo(() => foldRows(diffRows(left, right)), [left, right]);
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  return (
    <div className={styles.frame} role="group" aria-label={label} tabIndex={0}>
      <table className={styles.table}>
        <tbody>
          {parts.map((part, index) => (
            // The parts of one comparison do not move.
            // oxlint-disable-next-line react/no-array-index-key
            <Fragment key={index}>
              {part.type === "rows" || open.has(index) ? (
                part.rows.map((row) => <Row key={keyOf(row)} row={row} />)
              ) : (
                <tr>
                  <td colSpan={4} className={styles.fold}>
                    <button type="button" onClick={() => setOpen(new Set([...open, index]))}>
                      Show {part.rows.length} lines that are alike
                    </button>
                  </td>
                </tr>
              )}
            </Fragment>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ row: { kind, left, right } }: { row: DiffRow }) {
  const isSame = kind === "same";
  return (
    <tr className={styles.row}>
      <td className={styles.number}>{left?.number}</td>
      <td
        className={styles.side}
        data-side={isSame ? "same" : left === undefined ? "none" : "removed"}
      >
        {left === undefined ? undefined : <Line sign={isSame ? " " : "−"} text={left.text} />}
      </td>
      <td className={styles.number}>{right?.number}</td>
      <td
        className={styles.side}
        data-side={isSame ? "same" : right === undefined ? "none" : "added"}
        data-twin={isSame}
      >
        {right === undefined ? undefined : <Line sign={isSame ? " " : "+"} text={right.text} />}
      </td>
    </tr>
  );
}

/** The sign says what the colour says. */
function Line({ sign, text }: { sign: string; text: string }) {
  return (
    <>
      <span className={styles.sign}>{sign}</span>
      {text}
    </>
  );
}

function keyOf({ left, right }: DiffRow): string {
  return `${left?.number ?? ""}:${right?.number ?? ""}`;
}
