/** A state in a word. Its shape says what its colour says. */
import { CircleCheck, CircleDashed, CircleX, TriangleAlert } from "lucide-react";
import styles from "./badge.module.css";

import type { Tone } from "./tone.ts";

const SHAPES = { good: CircleCheck, warn: TriangleAlert, bad: CircleX, quiet: CircleDashed };

export function Badge({ tone, children }: { tone: Tone; children: string }) {
  const Shape = SHAPES[tone];
  return (
    <span className={styles.badge} data-tone={tone}>
      <Shape aria-hidden size={14} />
      {children}
    </span>
  );
}
