/** What a judge is: it says of a conversation, or of one turn of it, how well it kept one rule. */
import type { JudgeRequest } from "../conversation/recording.ts";
import type { TurnRecord } from "../conversation/transcript.ts";

/** What is judged. */
export interface Subject {
  /** One turn, or all of a conversation. It is never empty. */
  readonly turns: readonly TurnRecord[];
  /** The turns of the conversation up to the last of `turns`. */
  readonly soFar: readonly TurnRecord[];
}

export interface Verdict {
  /** From 0 to 1, or what was counted. `undefined`: it could not be judged, and counts as failed. */
  readonly score: number | undefined;
  /** Whether the rule is kept, where no threshold says otherwise. */
  readonly passed: boolean;
  /** What was found, for people. */
  readonly why: string;
}

/** Asks a model. Resolves to its whole answer; rejects with a sentence for people. */
export type AskModel = (request: JudgeRequest, signal: AbortSignal) => Promise<string>;

export interface JudgeContext {
  /** `undefined`: there is no model to ask. */
  readonly ask: AskModel | undefined;
  readonly signal: AbortSignal;
}

export type Judge = (subject: Subject, context: JudgeContext) => Verdict | Promise<Verdict>;

export type Params = Readonly<Record<string, unknown>>;

export type ReadJudge =
  | { readonly ok: true; readonly judge: Judge }
  /** Why it is not run, as the end of a sentence that begins with the eval. */
  | { readonly ok: false; readonly problem: string };

/** Reads the params of one type of eval. */
export type JudgeReader = (params: Params) => ReadJudge;

export function judgedBy(judge: Judge): ReadJudge {
  return { ok: true, judge };
}

export function needs(what: string): ReadJudge {
  return { ok: false, problem: `params needs ${what}` };
}

export function verdict(passed: boolean, why: string, score = passed ? 1 : 0): Verdict {
  return { passed, why, score };
}

/** The answer of the last turn. */
export function answerOf({ turns }: Pick<Subject, "turns">): string {
  return turns.at(-1)?.answer ?? "";
}
