/** Judges that measure: what they count is their score, and a threshold or the params say what is enough. */
import { judgedBy, needs, verdict, type JudgeReader, type Params, type Subject } from "./judge.ts";
import { hasUnreadNumber, numberIn } from "./params.ts";

/** About as many characters as a token has. */
const CHARACTERS_A_TOKEN = 4;

export const MEASURE_JUDGES: Readonly<Record<string, JudgeReader>> = {
  latency_budget: (params) => {
    const most = numberIn(params, "max_ms");
    if (most === undefined || most <= 0) return needs("max_ms, above 0");
    return judgedBy(({ turns }) => {
      const slowest = Math.max(...turns.map(({ latencyMs }) => latencyMs));
      const score = slowest <= most ? 1 : most / slowest;
      return verdict(slowest <= most, `it took ${Math.round(slowest)} ms`, score);
    });
  },
  token_count: counting("tokens", ({ turns }) =>
    sum(
      turns.map(
        ({ usage, answer }) => usage?.outputTokens ?? Math.ceil(answer.length / CHARACTERS_A_TOKEN),
      ),
    ),
  ),
  sentence_count: counting("sentences", ({ turns }) =>
    sum(turns.map(({ answer }) => sentencesIn(answer))),
  ),
};

function counting(what: string, count: (subject: Subject) => number): JudgeReader {
  return (params: Params) => {
    const names = ["min", "max", `min_${what}`, `max_${what}`];
    if (hasUnreadNumber(params, ...names)) return needs("min and max as numbers");
    const min = numberIn(params, `min_${what}`, "min") ?? 0;
    const max = numberIn(params, `max_${what}`, "max") ?? Infinity;
    return judgedBy((subject) => {
      const counted = count(subject);
      return verdict(counted >= min && counted <= max, `${what}: ${counted}`, counted);
    });
  };
}

function sentencesIn(answer: string): number {
  return answer
    .split(/[.!?]+(?=\s|$)|[。！？]+/u)
    .filter((sentence) => /\p{L}|\p{N}/u.test(sentence)).length;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
