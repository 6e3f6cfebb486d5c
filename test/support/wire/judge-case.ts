import { isDeepStrictEqual } from "node:util";
import { problemsOfFrames } from "./frame-rules.ts";
import type { PlayedCase, PlayedTurn } from "./play-case.ts";
import { problemsOfRequest } from "./request-rules.ts";
import type { WireCase, WireRule, WireTurn } from "./wire-case.ts";
import { problemByRule } from "./wire-rule.ts";

/** The finish reasons of an answer that no filter cut. */
const WHOLE = ["stop", "length", "tool_limit", "cancelled", "awaiting_approval"];
const GOES_ON: WireTurn = {
  end: ["done"],
  finish: "stop",
  content: "All good.",
  code: "PROVIDER_ERROR",
  tools: [],
};

/** What does not hold of all that has to hold, in words. */
export function judgeCase(wireCase: WireCase, played: PlayedCase): string[] {
  const { expect } = wireCase;
  const [first, second] = played.turns;
  const requests = [...first.requests, ...second.requests];
  return [
    ...judgeTurn("first", expect, first, wireCase.first.length),
    ...judgeTurn("second", expect.second ?? GOES_ON, second, Math.max(1, wireCase.second.length)),
    ...expect.sent.flatMap((rule) => judgeSent(rule, played)),
    ...requests.flatMap((body, index) =>
      problemsOfRequest(wireCase.api, body).map((problem) => `request ${index + 1}: ${problem}`),
    ),
    ...problemsOfFrames(played.frames),
  ];
}

function judgeTurn(which: string, wanted: WireTurn, turn: PlayedTurn, answers: number): string[] {
  const [least, most] = wanted.requests ?? [answers, answers];
  const count = turn.requests.length;
  const problems = judgeEnd(wanted, turn);
  if (count < least || count > most) problems.push(`${count} requests, not ${least} to ${most}`);
  if (!isSameTools(wanted.tools, turn.tools)) {
    problems.push(`ran the tools ${JSON.stringify(turn.tools)}`);
  }
  if (wanted.hangsUp === true && !turn.hungUp) problems.push("did not hang up");
  return problems.map((problem) => `${which} turn: ${problem}`);
}

function judgeEnd(wanted: WireTurn, { end }: PlayedTurn): string[] {
  if (end.type === "error") {
    const { code, message } = end.error;
    if (!wanted.end.includes("error")) return [`ended with ${code}: ${message}`];
    const problems = code === wanted.code ? [] : [`the error is ${code}`];
    if (wanted.message !== undefined && !new RegExp(wanted.message, "i").test(message)) {
      problems.push(`the error says: ${message}`);
    }
    return problems;
  }
  const { finish_reason: finish, content } = end;
  const warnings = (end as { warnings?: unknown[] }).warnings ?? [];
  const looksCut = !WHOLE.includes(finish) || warnings.length > 0;
  const problems: string[] = [];
  if (!wanted.end.includes(looksCut ? "cut" : "done")) {
    problems.push(`ended with done, ${finish}: ${JSON.stringify(content)}`);
  }
  if (!looksCut && finish !== wanted.finish) problems.push(`the finish reason is ${finish}`);
  if (wanted.content !== undefined && content !== wanted.content) {
    problems.push(`the answer is ${JSON.stringify(content)}`);
  }
  if (wanted.contains !== undefined && !content.includes(wanted.contains)) {
    problems.push(`the answer is ${JSON.stringify(content)}`);
  }
  return problems;
}

function isSameTools(wanted: WireTurn["tools"], ran: PlayedTurn["tools"]): boolean {
  const left = [...ran];
  for (const tool of wanted) {
    const at = left.findIndex(
      ({ name, arguments: given }) =>
        name === tool.name &&
        (tool.arguments === undefined || isDeepStrictEqual(given, tool.arguments)),
    );
    if (at === -1) return false;
    left.splice(at, 1);
  }
  return left.length === 0;
}

function judgeSent(rule: WireRule, { turns: [first, second] }: PlayedCase): string[] {
  const body = (rule.turn === 1 ? first : second).requests.at(-1);
  const problem = body === undefined ? "nothing" : problemByRule(rule, body.toString());
  return problem === undefined ? [] : [`sent: ${problem}`];
}
