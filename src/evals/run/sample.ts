import { hash } from "node:crypto";

const PARTS = 10_000;

/** Whether something belongs to a share in percent. The answer is the same in every run. */
export function isInSample(name: string, percentage: number): boolean {
  const part = Number.parseInt(hash("sha256", name).slice(0, 8), 16) % PARTS;
  return part < (percentage / 100) * PARTS;
}
