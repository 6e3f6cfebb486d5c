/** Fills the places of a prompt with what is known of the turn: variables that a pack binds to the session or to the clock. */
import type { PromptConfig } from "../../agent-config/agent-config.ts";
import { fillBoundText } from "../../promptpack/render/bound-text.ts";
import type { Turn } from "../contracts/handler.ts";

/** `now`: milliseconds since 1970. */
export function boundPrompt(
  prompt: PromptConfig,
  turn: Pick<Turn, "sessionId" | "callerSubject" | "metadata">,
  now: number,
): PromptConfig {
  const { bindings = [] } = prompt;
  if (bindings.length === 0) return prompt;
  const timeZone = timeZoneOf(turn.metadata);
  const [date, time] = localTime(now, timeZone);
  const system = fillBoundText(prompt.system, bindings, {
    session_id: turn.sessionId,
    user_id: turn.callerSubject,
    date,
    time,
    time_zone: timeZone,
  });
  return { ...prompt, system };
}

/** The zone that the client names in its message's `metadata.time_zone`, or else that of the agent's process. */
function timeZoneOf(metadata: Turn["metadata"]): string {
  const { timeZone: own } = new Intl.DateTimeFormat().resolvedOptions();
  const named = metadata?.["time_zone"] ?? metadata?.["timezone"];
  if (typeof named !== "string" || named.length > MAX_ZONE_CHARACTERS) return own;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: named }).resolvedOptions().timeZone;
  } catch {
    return own;
  }
}

const MAX_ZONE_CHARACTERS = 64;

/** As `2026-03-01` and `09:30`. */
function localTime(now: number, timeZone: string): [date: string, time: string] {
  // Swedes write dates as ISO 8601 does.
  const written = new Intl.DateTimeFormat("sv-SE", {
    timeZone,
    dateStyle: "short",
    timeStyle: "short",
  }).format(now);
  const [date = "", time = ""] = written.split(" ");
  return [date, time];
}
