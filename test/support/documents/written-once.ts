import { expect } from "vitest";
import type { Write } from "../kubernetes/audit-log.ts";

const CHILDREN =
  /^(configmaps|deployments|services|poddisruptionbudgets|networkpolicies) (\S+)\/agent-/;

/**
 * Expects that of what operators made in the namespace for agents called `agent-…`, each object was written once: at its
 * creation.
 */
export function expectWrittenOnce(writes: readonly Write[], namespace: string): void {
  const made = writes.filter(
    ({ what, status }) => CHILDREN.exec(what)?.[2] === namespace && status < 300,
  );
  const often = Object.entries(Object.groupBy(made, ({ what }) => what))
    .filter(([, found]) => found?.length !== 1)
    .map(([what, found]) => [what, ...(found ?? []).map(({ user, verb }) => `${user} ${verb}`)]);
  expect(often).toEqual([]);
  expect(made).not.toEqual([]);
}
