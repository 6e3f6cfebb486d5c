import { useEffect, useRef, type RefObject } from "react";
import { useShortcut } from "./shortcuts.ts";

/**
 * `j` and `k` move the focus from row to row of a list: to the first link or button of each. Rows are the elements with `data-index`, of which
 * those out of sight may not be there: `show` makes the list scroll to one.
 */
export function useRowKeys(
  list: RefObject<HTMLElement | null>,
  count: number,
  show: (index: number) => void,
): void {
  const wanted = useRef<number>(undefined);
  const focusRow = (): void => {
    if (wanted.current === undefined) return;
    const row = list.current?.querySelector(`[data-index="${wanted.current}"]`);
    const target = row?.querySelector<HTMLElement>("a, button");
    if (target === null || target === undefined) return;
    wanted.current = undefined;
    target.focus({ preventScroll: true });
    row?.scrollIntoView({ block: "nearest" });
  };
  const move = (step: number): boolean => {
    if (count === 0) return false;
    const focused = list.current?.contains(document.activeElement) === true;
    const row = focused ? document.activeElement?.closest<HTMLElement>("[data-index]") : undefined;
    const at = row === null || row === undefined ? undefined : Number(row.dataset["index"]);
    const next = at === undefined ? 0 : Math.min(count - 1, Math.max(0, at + step));
    wanted.current = next;
    show(next);
    focusRow();
    return true;
  };
  // A row that was out of sight is made by the next rendering, and takes the focus then.
  useEffect(focusRow);
  useShortcut({ keys: "j", description: "Next row" }, () => move(1));
  useShortcut({ keys: "k", description: "Previous row" }, () => move(-1));
}
