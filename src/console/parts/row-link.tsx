import type { MouseEvent, ReactNode } from "react";
import { useRouter } from "@tanstack/react-router";

/** A link within the console for the rows of long lists: it follows nothing and loads nothing ahead, and so costs next to nothing to make. */
export function RowLink({
  to,
  className,
  children,
}: {
  to: string;
  className?: string | undefined;
  children: ReactNode;
}) {
  const router = useRouter();
  const follow = (event: MouseEvent): void => {
    // What opens a tab or a window is the browser's.
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    router.history.push(to);
  };
  return (
    <a href={to} className={className} onClick={follow}>
      {children}
    </a>
  );
}
