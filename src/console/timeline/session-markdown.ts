/** Writes a session as a Markdown document, for people who read it elsewhere. */
import type { SessionTimeline } from "../../http-api/session-views.ts";
import { costText } from "../../protocol/cost-text.ts";
import type { Call } from "../chat/turn-parts.ts";
import { numberText } from "../parts/count-text.ts";
import { railOf, type RailTurn } from "./time-rail.ts";

export function sessionMarkdown(timeline: SessionTimeline, agent: string, now: number): string {
  const { session } = timeline;
  const head = [
    `# ${oneLine(session.title) || "Session"}`,
    "",
    `- Agent: ${agent}`,
    `- Session: \`${session.id}\``,
    `- Began: ${session.createdAt}`,
    `- Last active: ${session.lastActiveAt}`,
    `- Tokens: ${numberText(session.inputTokens)} in, ${numberText(session.outputTokens)} out`,
    ...(session.cost === undefined ? [] : [`- Cost: ${costText(session.cost)}`]),
  ];
  return `${[...head, ...railOf(timeline, now).flatMap(turnLines)].join("\n")}\n`;
}

function turnLines(turn: RailTurn): string[] {
  const { question, answer, calls, startedAt, error, warnings, finishReason } = turn;
  const when = startedAt === undefined ? "" : ` (${new Date(startedAt).toISOString()})`;
  return [
    "",
    `## Turn ${turn.id}${when}`,
    ...(turn.newVersion === undefined ? [] : ["", `Version of the pack: ${turn.newVersion}`]),
    ...(turn.takeovers.length === 0 ? [] : ["", `Taken over by: ${turn.takeovers.join(", ")}`]),
    ...(question === undefined ? [] : ["", "**User**", "", ...quoted(question)]),
    ...calls.flatMap(({ call }) => callLines(call)),
    ...(answer === "" ? [] : ["", "**Agent**", "", answer]),
    ...warnings.map(({ validator, message }) => `\nRule ${validator}: ${oneLine(message)}`),
    ...(error === undefined ? [] : ["", `Failed: ${error.code}: ${oneLine(error.message)}`]),
    ...(finishReason === undefined || finishReason === "stop"
      ? []
      : ["", `Ended: ${finishReason}`]),
    ...(turn.newState === undefined ? [] : ["", `State of the workflow: ${turn.newState}`]),
  ];
}

function callLines(call: Call): string[] {
  const took = call.ms === undefined ? "" : `, ${Math.round(call.ms)} ms`;
  const outcome = call.error ?? (call.result === undefined ? undefined : json(call.result));
  return [
    "",
    `**Tool ${call.name}** (${call.outcome}${took})`,
    ...(call.arguments === undefined ? [] : ["", ...fenced(json(call.arguments))]),
    ...(outcome === undefined ? [] : ["", ...fenced(outcome)]),
  ];
}

function json(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value, undefined, 2);
}

/** The fence is longer than any within, so that a result cannot end it. */
function fenced(text: string): string[] {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return [fence, text, fence];
}

function quoted(text: string): string[] {
  return text.split("\n").map((line) => `> ${line}`);
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}
