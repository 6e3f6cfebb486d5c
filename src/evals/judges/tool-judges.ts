/** Judges of which tools were called, and how. A call that failed counts as not made, except where a judge is about failures. */
import { isDeepStrictEqual } from "node:util";
import type { ToolCallRecord, TurnRecord } from "../conversation/transcript.ts";
import { judgedBy, needs, verdict, type Judge, type JudgeReader, type Subject } from "./judge.ts";
import { hasUnreadNumber, isSet, numberIn, objectIn, textIn, textsIn } from "./params.ts";

type CallsOf = (subject: Subject) => readonly ToolCallRecord[];

const ofSubject: CallsOf = ({ turns }) => callsOf(turns);
const ofSession: CallsOf = ({ soFar }) => callsOf(soFar);

export const TOOL_JUDGES: Readonly<Record<string, JudgeReader>> = {
  tools_called: toolsCalled(ofSubject),
  tools_called_session: toolsCalled(ofSession),
  tools_not_called: toolsNotCalled(ofSubject),
  tools_not_called_session: toolsNotCalled(ofSession),
  tool_args: toolArguments(ofSubject),
  tool_args_session: toolArguments(ofSession),
  tool_call_count: (params) => {
    const tool = textIn(params, "tool", "tool_name");
    const bounds = { min: numberIn(params, "min"), max: numberIn(params, "max") };
    if (hasUnreadNumber(params, "min", "max")) return needs("min and max as numbers");
    if (bounds.min === undefined && bounds.max === undefined) return needs("min or max");
    const { min = 0, max = Infinity } = bounds;
    return judgedBy((subject) => {
      const count = ofSubject(subject).filter(
        ({ name }) => tool === undefined || name === tool,
      ).length;
      return verdict(count >= min && count <= max, `calls of ${tool ?? "tools"}: ${count}`);
    });
  },
  tool_call_sequence: (params) => {
    const sequence = textsIn(params, "sequence");
    if (sequence === undefined) return needs("sequence, a list of tools");
    return judgedBy((subject) => {
      let found = 0;
      for (const { name } of ofSubject(subject)) if (name === sequence[found]) found += 1;
      const why =
        found === sequence.length
          ? "they were called in this order"
          : `${sequence[found]} was not called in its place`;
      return verdict(found === sequence.length, why, found / sequence.length);
    });
  },
  no_tool_errors: (params) => {
    const tools = Object.hasOwn(params, "tools") ? textsIn(params, "tools") : [];
    if (tools === undefined) return needs("tools as a list of names");
    return judgedBy((subject) => {
      const calls = ofSubject(subject).filter(
        ({ name }) => tools.length === 0 || tools.includes(name),
      );
      const failed = calls.filter(({ error }) => error !== undefined);
      const why =
        failed.length === 0
          ? "no call failed"
          : `failed: ${failed.map(({ name, error }) => `${name} (${error})`).join(", ")}`;
      return verdict(failed.length === 0, why, 1 - failed.length / Math.max(1, calls.length));
    });
  },
  tool_result_includes: (params) => {
    const texts = textsIn(params, "patterns", "pattern", "text");
    const tool = textIn(params, "tool", "tool_name");
    if (texts === undefined) return needs("patterns, a list of texts");
    return judgedBy((subject) => {
      const results = succeeded(ofSubject(subject))
        .filter(({ name }) => tool === undefined || name === tool)
        .map(({ result }) => asText(result).toLowerCase());
      const isFound = results.some((result) =>
        texts.every((text) => result.includes(text.toLowerCase())),
      );
      return verdict(isFound, isFound ? "a result has them" : "no result of a call has them all");
    });
  },
};

function toolsCalled(calls: CallsOf): JudgeReader {
  return (params) => {
    const tools = textsIn(params, "tool_names", "tools", "tool_name", "tool", "name");
    if (tools === undefined) return needs("tool_names, a list of tools");
    if (hasUnreadNumber(params, "min_calls", "max_calls")) {
      return needs("min_calls and max_calls as numbers");
    }
    const min = numberIn(params, "min_calls") ?? 1;
    const max = numberIn(params, "max_calls") ?? Infinity;
    const needsArguments = isSet(params, "require_args");
    const judge: Judge = (subject) => {
      const made = succeeded(calls(subject)).filter(
        (call) => !needsArguments || Object.keys(call.arguments).length > 0,
      );
      const counts = tools.map((tool) => ({
        tool,
        count: made.filter(({ name }) => name === tool).length,
      }));
      const few = counts.filter(({ count }) => count < min);
      const many = counts.filter(({ count }) => count > max);
      if (few.length + many.length === 0) return verdict(true, "they were called");
      const why = [...new Set([...few, ...many])]
        .map(({ tool, count }) => `${tool} was called ${count} times`)
        .join(", ");
      return verdict(false, why, many.length > 0 ? 0 : 1 - few.length / tools.length);
    };
    return judgedBy(judge);
  };
}

function toolsNotCalled(calls: CallsOf): JudgeReader {
  return (params) => {
    const tools = textsIn(params, "tool_names", "tools", "tool_name", "tool", "name");
    if (tools === undefined) return needs("tool_names, a list of tools");
    return judgedBy((subject) => {
      // A call that failed was made all the same.
      const made = new Set(calls(subject).map(({ name }) => name));
      const called = tools.filter((tool) => made.has(tool));
      const why = called.length === 0 ? "none was called" : `called: ${called.join(", ")}`;
      return verdict(called.length === 0, why);
    });
  };
}

function toolArguments(calls: CallsOf): JudgeReader {
  return (params) => {
    const tool = textIn(params, "tool_name", "tool");
    const expected = objectIn(params, "expected_args", "arguments", "args");
    if (tool === undefined || expected === undefined) return needs("tool_name and expected_args");
    return judgedBy((subject) => {
      const made = calls(subject).filter(({ name }) => name === tool);
      const last = made.at(-1);
      if (last === undefined) return verdict(false, `${tool} was not called`);
      const isMatch = made.some((call) => differences(call, expected).length === 0);
      return isMatch
        ? verdict(true, `${tool} was called so`)
        : verdict(false, `${tool} was called otherwise: ${differences(last, expected).join(", ")}`);
    });
  };
}

/** What of the expected arguments the call does not have. Further arguments may be there. */
function differences(call: ToolCallRecord, expected: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(expected).flatMap(([name, wanted]) => {
    if (!Object.hasOwn(call.arguments, name)) return [`no ${name}`];
    const given = call.arguments[name];
    // A model may write a number as a text.
    const isSame = isDeepStrictEqual(given, wanted) || asText(given) === asText(wanted);
    return isSame ? [] : [`${name} is ${asText(given)}`];
  });
}

function callsOf(turns: readonly TurnRecord[]): ToolCallRecord[] {
  return turns.flatMap(({ toolCalls }) => toolCalls);
}

function succeeded(calls: readonly ToolCallRecord[]): ToolCallRecord[] {
  return calls.filter(({ error }) => error === undefined);
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}
