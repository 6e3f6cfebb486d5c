/** A list of which only the items near the window are made. The page itself scrolls. `j` and `k` go from item to item. */
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import {
  useEffect,
  useEffectEvent,
  useLayoutEffect,
  useRef,
  useState,
  type ReactNode,
} from "react";
import { useRowKeys } from "../keyboard/use-row-keys.ts";
import styles from "./window-list.module.css";

const OVERSCAN = 6;

export function WindowList<Item>({
  label,
  items,
  keyOf,
  estimate,
  hasMore = false,
  isHeld = false,
  onNearEnd,
  goTo,
  children,
}: {
  label: string;
  items: readonly Item[];
  keyOf: (item: Item) => string;
  /** About how high an item is, in pixels. */
  estimate: number;
  /** There are more items than were handed over. */
  hasMore?: boolean | undefined;
  /** More are on their way, or cannot be had: none are asked for. What comes may hold no item, and then more are asked for again. */
  isHeld?: boolean | undefined;
  /** Called when more items are wanted. */
  onNearEnd?: (() => void) | undefined;
  /** The key of the item to show, each time that another one is named. */
  goTo?: string | undefined;
  children: (item: Item) => ReactNode;
}) {
  const list = useRef<HTMLUListElement>(null);
  const [offset, setOffset] = useState(0);
  // What stands above the list may come later, and moves it.
  useLayoutEffect(() => {
    const measure = (): void => {
      const top = list.current?.getBoundingClientRect().top ?? 0;
      setOffset(Math.round(top + window.scrollY));
    };
    measure();
    const observer = new ResizeObserver(measure);
    if (list.current?.parentElement != null) observer.observe(list.current.parentElement);
    return () => observer.disconnect();
  }, []);
  const virtualizer = useWindowVirtualizer({
    count: items.length,
    estimateSize: () => estimate,
    overscan: OVERSCAN,
    scrollMargin: offset,
    getItemKey: (index) => keyOf(items[index] as Item),
    // A frame that scrolls need not wait for its items: some are there beyond what can be seen.
    useFlushSync: false,
  });
  const rows = virtualizer.getVirtualItems();
  const lastIndex = rows.at(-1)?.index ?? -1;
  const isNearEnd = hasMore && !isHeld && lastIndex >= items.length - OVERSCAN - 1;
  const wantMore = useEffectEvent(() => onNearEnd?.());
  const count = items.length;
  useEffect(() => {
    if (isNearEnd) wantMore();
  }, [isNearEnd, count]);
  const show = useEffectEvent((key: string) => {
    const index = items.findIndex((item) => keyOf(item) === key);
    if (index !== -1) virtualizer.scrollToIndex(index, { align: "start" });
  });
  useRowKeys(list, count, (index) => virtualizer.scrollToIndex(index, { align: "auto" }));
  const hasItems = count > 0;
  useEffect(() => {
    if (goTo !== undefined && hasItems) show(goTo);
  }, [goTo, hasItems]);
  return (
    <ul
      ref={list}
      aria-label={label}
      className={styles.list}
      style={{ height: virtualizer.getTotalSize() }}
    >
      {rows.map(({ index, start, key }) => (
        <li
          key={key}
          ref={virtualizer.measureElement}
          data-index={index}
          aria-setsize={hasMore ? -1 : items.length}
          aria-posinset={index + 1}
          className={styles.item}
          style={{ transform: `translateY(${start - offset}px)` }}
        >
          {children(items[index] as Item)}
        </li>
      ))}
    </ul>
  );
}
