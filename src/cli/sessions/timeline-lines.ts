/** A session as lines of a terminal: each turn with what was said, which tools it called, what it cost and how it ended. */
import { styled, type Line, type Piece } from "../../observability/terminal/line.ts";
import type { SessionTimeline, TurnView } from "../../http-api/session-views.ts";
import { costText } from "../../protocol/cost-text.ts";
import { counted } from "../terminal/counted.ts";
import type { AgentName } from "./choose-agent.ts";
import { between, duration, minute, second, tokens } from "./shown-values.ts";
import { callsOf, turnsOf, type ToldCall, type ToldTurn } from "./timeline-events.ts";

/** Characters of arguments and of results that a line shows. `export` gives all of them. */
const MAX_SHOWN_JSON = 160;

export function timelineLines({ namespace, name }: AgentName, timeline: SessionTimeline): Line[] {
  const { session } = timeline;
  const facts = [
    session.state,
    counted(session.turns, "turn"),
    counted(session.toolCalls, "tool call"),
    `${tokens(session.inputTokens)} + ${tokens(session.outputTokens)} tokens`,
    session.cost === undefined ? undefined : costText(session.cost),
    session.packVersion === undefined ? undefined : `version ${session.packVersion}`,
    session.workflowState === undefined ? undefined : `state ${session.workflowState}`,
    session.subject === undefined ? undefined : `of ${session.subject}`,
  ];
  return [
    [styled("bold", session.title === "" ? "(nothing was said)" : session.title)],
    `${session.id} of agent ${namespace}/${name}`,
    styled("dim", joined(facts)),
    styled(
      "dim",
      `begun ${minute(session.createdAt)}, last active ${minute(session.lastActiveAt)}, ends ${minute(session.expiresAt)} (UTC)`,
    ),
    ...turnsOf(timeline).flatMap(turnLines),
  ];
}

function turnLines(turn: ToldTurn): Line[] {
  const lines: Line[] = ["", headOf(turn)];
  for (const message of turn.messages) {
    if (message.role === "user") lines.push(...said("user", message.content));
    if (message.role === "assistant") {
      if (message.content !== "") {
        lines.push(
          ...said(message.partial === true ? "agent (cut off)" : "agent", message.content),
        );
      }
      for (const call of callsOf(message, turn)) lines.push(...callLines(call));
    }
  }
  for (const record of turn.records) lines.push(...endLines(record));
  return lines;
}

function headOf({ number, turnId, records }: ToldTurn): Line {
  const [record] = records;
  const when = record === undefined ? [] : [second(record.startedAt), record.model];
  return [
    styled("bold", `Turn ${number}`),
    styled("dim", `  ${joined([...when, record?.packVersion, ...replicasOf(records), turnId])}`),
  ];
}

function replicasOf(records: readonly TurnView[]): string[] {
  const names = [...new Set(records.flatMap(({ replicas }) => replicas))];
  return names.length === 0 ? [] : [names.join(" → ")];
}

/** Text of several lines stays readable, each line of it with the same indent. */
function said(who: string, text: string): Line[] {
  return [styled("dim", `  ${who}`), ...text.split("\n").map((line) => `    ${line}`)];
}

function callLines({ name, arguments: toolArguments, record, outcome }: ToldCall): Line[] {
  const took = record?.ms === undefined ? "" : `  ${duration(record.ms)}`;
  const state = record?.outcome ?? (outcome?.error === undefined ? "ok" : "error");
  const mark: Piece =
    state === "ok"
      ? styled("green", "ok")
      : styled(
          state === "error" ? "red" : "yellow",
          state === "unknown" ? "outcome unknown" : state,
        );
  const head: Line = ["  ", styled("bold", name), ` ${shortJSON(toolArguments)}${took}  `, mark];
  if (outcome === undefined) return [head];
  const what = outcome.error ?? shortJSON(outcome.result);
  return [head, [outcome.error === undefined ? "    " : styled("red", "    "), what]];
}

function endLines(record: TurnView): Line[] {
  const { usage, finishReason, error, warnings = [], startedAt, firstChunkAt, endedAt } = record;
  const facts = [
    endedAt === undefined ? "it runs" : between(startedAt, endedAt),
    firstChunkAt === undefined
      ? undefined
      : `first words after ${between(startedAt, firstChunkAt)}`,
    usage === undefined
      ? undefined
      : `${tokens(usage.input_tokens)} + ${tokens(usage.output_tokens)} tokens`,
    usage?.cost === undefined ? undefined : costText(usage.cost),
    finishReason,
    record.workflowState === undefined ? undefined : `state ${record.workflowState}`,
  ];
  return [
    styled("dim", `  ${joined(facts)}`),
    ...warnings.map((each): Line => styled("yellow", `  ${each.validator}: ${each.message}`)),
    ...(error === undefined ? [] : [styled("red", `  ${error.code}: ${error.message}`)]),
  ];
}

function joined(parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== "").join(" · ");
}

function shortJSON(value: unknown): string {
  const text = JSON.stringify(value) ?? "null";
  return text.length <= MAX_SHOWN_JSON ? text : `${text.slice(0, MAX_SHOWN_JSON).toWellFormed()}…`;
}
