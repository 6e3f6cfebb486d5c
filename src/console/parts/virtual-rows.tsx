/**
 * A table of which only the rows are made that can be seen, so that a thousand of them cost as much as fifty. The page itself scrolls. `j` and `k` go
 * from row to row.
 */
import { useLayoutEffect, useRef, useState, type ReactNode } from "react";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useRowKeys } from "../keyboard/use-row-keys.ts";
import { useMedia } from "./use-media.ts";
import styles from "./virtual-rows.module.css";

const OVERSCAN = 8;
/** As the style sheet has it. */
const ROW_PIXELS = 47;
/** Here a row takes as many lines as it needs. */
const NARROW = "(max-width: 700px)";

export function VirtualRows<Item>({
  label,
  columns,
  template,
  items,
  keyOf,
  secondLine,
  children,
}: {
  /** What the table is of. */
  label: string;
  columns: readonly string[];
  /** The widths of the columns, as a grid has them. */
  template: string;
  items: readonly Item[];
  keyOf: (item: Item) => string;
  /** How high is, about, what a row has beyond its first line. Rows of one line are all alike, and are not measured where there is room. */
  secondLine: (item: Item) => number | undefined;
  /** The cells of a row, each with the role `cell`. */
  children: (item: Item) => ReactNode;
}) {
  const table = useRef<HTMLDivElement>(null);
  const [offset, setOffset] = useState(0);
  useLayoutEffect(() => {
    const top = table.current?.getBoundingClientRect().top ?? 0;
    setOffset(Math.round(top + window.scrollY));
  }, []);
  const rows = useWindowVirtualizer({
    count: items.length,
    estimateSize: (index) => ROW_PIXELS + (secondLine(items[index] as Item) ?? 0),
    getItemKey: (index) => keyOf(items[index] as Item),
    overscan: OVERSCAN,
    scrollMargin: offset,
    // A frame that scrolls need not wait for its rows: some are there beyond what can be seen.
    useFlushSync: false,
  });
  const isNarrow = useMedia(NARROW);
  useRowKeys(table, items.length, (index) => rows.scrollToIndex(index, { align: "auto" }));

  return (
    <div
      ref={table}
      role="table"
      aria-label={label}
      aria-rowcount={items.length + 1}
      className={styles.table}
      style={{ "--columns": template } as React.CSSProperties}
    >
      <div role="rowgroup" className={styles.head}>
        <div role="row" aria-rowindex={1} className={styles.columns}>
          {columns.map((column) => (
            <span key={column} role="columnheader">
              {column}
            </span>
          ))}
        </div>
      </div>
      <div role="rowgroup" className={styles.body} style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map((row) => {
          const item = items[row.index] as Item;
          const isOneLine = !isNarrow && secondLine(item) === undefined;
          return (
            <div
              key={row.key}
              // To measure is to lay out the page, once for every row that comes into sight.
              ref={isOneLine ? undefined : rows.measureElement}
              data-index={row.index}
              data-one-line={isOneLine}
              role="row"
              aria-rowindex={row.index + 2}
              className={styles.row}
              style={{ transform: `translateY(${row.start - offset}px)` }}
            >
              {children(item)}
            </div>
          );
        })}
      </div>
    </div>
  );
}
