/** What people type when they are asked whether a call may be made. */
import type { AnswerFrame } from "../../protocol/frames.ts";
import type { Approval } from "../../protocol/client/open-requests.ts";

export const APPROVAL_KEYS = "y / n / e(dit)";

/** Undefined: something else was typed. `edit`: the arguments are to be typed next. */
export function readApproval(line: string, { id }: Approval): AnswerFrame | "edit" | undefined {
  const [word = "", ...rest] = line.trim().split(/\s+/);
  const reason = rest.join(" ");
  switch (word.toLowerCase()) {
    case "n":
    case "no":
      return { type: "deny", id, reason: reason === "" ? undefined : reason };
    case "y":
    case "yes":
      return reason === "" ? { type: "approve", id } : undefined;
    case "e":
    case "edit":
      return reason === "" ? "edit" : undefined;
    default:
      return undefined;
  }
}

/** Undefined: what was typed is no JSON object. */
export function readEdit(line: string, { id }: Approval): AnswerFrame | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return { type: "approve", id, arguments: value as Record<string, unknown> };
}
