/** A session as a Markdown document. What was said stands in blocks of code, so that nothing of it becomes a part of the document. */
import type { SessionTimeline, TurnView } from "../../http-api/session-views.ts";
import { costText } from "../../protocol/cost-text.ts";
import { counted } from "../terminal/counted.ts";
import type { AgentName } from "./choose-agent.ts";
import { between, duration, tokens } from "./shown-values.ts";
import { callsOf, turnsOf, type ToldCall, type ToldTurn } from "./timeline-events.ts";

const SHORTEST_FENCE = 3;

export function timelineMarkdown(
  { namespace, name }: AgentName,
  timeline: SessionTimeline,
): string {
  const { session } = timeline;
  const facts = [
    ["Session", code(session.id)],
    ["Agent", code(`${namespace}/${name}`)],
    ["State", session.state],
    ["Turns", `${session.turns}, with ${counted(session.toolCalls, "tool call")}`],
    ["Tokens", `${tokens(session.inputTokens)} in, ${tokens(session.outputTokens)} out`],
    ...(session.cost === undefined ? [] : [["Cost", costText(session.cost)]]),
    ...(session.packVersion === undefined ? [] : [["Version", code(session.packVersion)]]),
    ["Begun", session.createdAt],
    ["Last active", session.lastActiveAt],
  ];
  return [
    `# ${escaped(session.title) || "Session"}`,
    facts.map(([label, value]) => `- ${label}: ${value}`).join("\n"),
    ...turnsOf(timeline).flatMap(turnParts),
  ]
    .join("\n\n")
    .concat("\n");
}

function turnParts(turn: ToldTurn): string[] {
  const [record] = turn.records;
  const parts = [`## Turn ${turn.number}${record === undefined ? "" : `, ${record.startedAt}`}`];
  for (const message of turn.messages) {
    if (message.role === "user") parts.push("**User**", fenced(message.content, "markdown"));
    if (message.role === "assistant") {
      const cut = message.partial === true ? " (cut off)" : "";
      if (message.content !== "")
        parts.push(`**Agent**${cut}`, fenced(message.content, "markdown"));
      for (const call of callsOf(message, turn)) parts.push(...callParts(call));
    }
  }
  parts.push(...turn.records.flatMap(endOf));
  return parts;
}

function callParts({ name, arguments: toolArguments, record, outcome }: ToldCall): string[] {
  const took = record?.ms === undefined ? "" : `, ${duration(record.ms)}`;
  const state = record === undefined ? "" : `, ${record.outcome}`;
  return [
    `**Tool** ${code(name)}${took}${state}`,
    fenced(JSON.stringify(toolArguments, undefined, 2), "json"),
    ...(outcome === undefined
      ? []
      : outcome.error === undefined
        ? [fenced(JSON.stringify(outcome.result, undefined, 2) ?? "null", "json")]
        : [fenced(outcome.error, "text")]),
  ];
}

function endOf(record: TurnView): string[] {
  const { usage, finishReason, error, warnings = [], startedAt, endedAt } = record;
  const facts = [
    endedAt === undefined ? "it runs" : between(startedAt, endedAt),
    record.model,
    ...record.replicas,
    usage === undefined
      ? undefined
      : `${tokens(usage.input_tokens)} + ${tokens(usage.output_tokens)} tokens`,
    usage?.cost === undefined ? undefined : costText(usage.cost),
    finishReason,
  ].flatMap((fact) => (fact === undefined ? [] : escaped(fact)));
  return [
    `*${facts.join(" · ")}*`,
    ...warnings.map(({ validator, message }) => `${code(validator)}: ${escaped(message)}`),
    ...(error === undefined ? [] : [`**${escaped(error.code)}**: ${escaped(error.message)}`]),
  ];
}

/** A block that no text can end: its fence is longer than any in the text. */
function fenced(text: string, language: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(Math.max(SHORTEST_FENCE, longest + 1));
  return `${fence}${language}\n${text}\n${fence}`;
}

function code(text: string): string {
  const line = oneLine(text);
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return longest === 0 ? `${fence}${line}${fence}` : `${fence} ${line} ${fence}`;
}

/** Text that is to be read as it is. */
function escaped(text: string): string {
  return oneLine(text).replaceAll(/[\\`*_{}[\]()#+!<>|~&]/g, String.raw`\$&`);
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}
