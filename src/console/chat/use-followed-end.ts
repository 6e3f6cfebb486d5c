/** Keeps a scrolled element at its end while its content grows, until a reader scrolls up. */
import { useCallback, useLayoutEffect, useRef, useState, type RefObject } from "react";

/** In pixels. This near to the end counts as the end. */
const NEAR_END = 48;

export interface FollowedEnd {
  readonly log: RefObject<HTMLDivElement | null>;
  /** What is in the scrolled element, all of it. */
  readonly content: RefObject<HTMLDivElement | null>;
  readonly isAtEnd: boolean;
  readonly goToEnd: () => void;
  readonly onScroll: () => void;
}

export function useFollowedEnd(): FollowedEnd {
  const log = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const [isAtEnd, setIsAtEnd] = useState(true);
  // The content may change its height after the reader has scrolled, and before the page has been shown again.
  const follows = useRef(true);
  const lastTop = useRef(0);
  const change = useCallback((isFollowed: boolean): void => {
    follows.current = isFollowed;
    setIsAtEnd(isFollowed);
  }, []);
  const toEnd = useCallback((): void => {
    const element = log.current;
    if (element === null) return;
    element.scrollTop = element.scrollHeight;
    lastTop.current = element.scrollTop;
  }, []);
  useLayoutEffect(() => {
    if (content.current === null) return;
    // What is looked at for the first time takes the height that it really has, and moves the end.
    const observer = new ResizeObserver(() => {
      if (follows.current) toEnd();
    });
    observer.observe(content.current);
    return () => observer.disconnect();
  }, [toEnd]);
  const goToEnd = useCallback((): void => {
    change(true);
    toEnd();
  }, [change, toEnd]);
  const onScroll = useCallback((): void => {
    const element = log.current;
    if (element === null) return;
    const { scrollTop, scrollHeight, clientHeight } = element;
    // Only a reader scrolls up.
    if (scrollHeight - scrollTop - clientHeight < NEAR_END) change(true);
    else if (scrollTop < lastTop.current) change(false);
    lastTop.current = scrollTop;
  }, [change]);
  return { log, content, isAtEnd, goToEnd, onScroll };
}
