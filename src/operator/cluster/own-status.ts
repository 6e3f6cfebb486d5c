import type { Condition } from "../../api/conditions.ts";

/** The condition that an operator writes into the status of an object that another one looks after. */
const MANAGED = "Managed";

interface StatusWithConditions {
  conditions?: Condition[] | undefined;
}

const known = new WeakMap<object, unknown>();

/** The status without what operators say in it that keep off the object. It is the same object for the same status. */
export function ownStatus<Status extends StatusWithConditions>(
  status: Status | undefined,
): Status | undefined {
  const conditions = status?.conditions;
  if (status === undefined || !conditions?.some(({ type }) => type === MANAGED)) return status;
  const before = known.get(status) as Status | undefined;
  if (before !== undefined) return before;
  const { conditions: _, ...others } = status;
  const own = conditions.filter(({ type }) => type !== MANAGED);
  const isNobodys = own.length === 0 && Object.keys(others).length === 0;
  const left = (isNobodys ? undefined : { ...others, conditions: own }) as Status | undefined;
  if (left !== undefined) known.set(status, left);
  return left;
}
