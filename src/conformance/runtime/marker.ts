import { randomBytes } from "node:crypto";
import { CheckSkipped } from "../harness/check-failed.ts";

/** A word that no model says by itself. */
export function newMarker(): string {
  return `zebra${randomBytes(4).toString("hex")}`;
}

/** Skips the check when the text does not hold the marker. Whether a model does what it is asked to do says nothing about its runtime. */
export function ensureShown(text: string, marker: string, otherwise: string): void {
  if (!text.includes(marker)) throw new CheckSkipped(`not shown: ${otherwise}`);
}
