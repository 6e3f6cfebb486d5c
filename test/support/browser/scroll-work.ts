import type { Page } from "playwright-core";

/** What a page made of its rows, which are the elements with `data-index`, while it was scrolled. */
export interface ScrollWork {
  /** The most rows that were there at a time. */
  readonly most: number;
  /** How many rows were made. One that comes into sight again counts again. */
  readonly made: number;
  /** The highest `data-index` that was made. */
  readonly last: number;
  /** How often something changed within a row that was there already. */
  readonly changed: number;
}

/** The page has ended when it has not grown for so many frames. */
const FRAMES_AT_END = 120;

/** Scrolls down by the step in each frame, to the end of the page or so many times at most. */
export function scrollDown(page: Page, step: number, times: number): Promise<ScrollWork> {
  return page.evaluate<ScrollWork>(`(async () => {
    let most = 0, made = 0, last = 0, changed = 0;
    const observer = new MutationObserver((records) => {
      const fresh = new Set();
      for (const { addedNodes } of records)
        for (const node of addedNodes)
          if (node instanceof Element && node.matches("[data-index]")) {
            fresh.add(node);
            made += 1;
            last = Math.max(last, Number(node.dataset.index));
          }
      for (const { type, target } of records) {
        const element = target instanceof Element ? target : target.parentElement;
        const row = element?.closest("[data-index]");
        if (row != null && !fresh.has(row)) changed += 1;
      }
    });
    observer.observe(document.body, { subtree: true, childList: true, characterData: true });
    const frame = () => new Promise(requestAnimationFrame);
    let atEnd = 0;
    for (let time = 0; time < ${times} && atEnd < ${FRAMES_AT_END}; ) {
      const before = scrollY;
      scrollBy(0, ${step});
      await frame();
      most = Math.max(most, document.querySelectorAll("[data-index]").length);
      if (scrollY === before) atEnd += 1;
      else (atEnd = 0), (time += 1);
    }
    await frame();
    await frame();
    observer.disconnect();
    return { most, made, last, changed };
  })()`);
}
