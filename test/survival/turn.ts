/** A turn of the survival test: what is asked, what the model is to say to it, and what is remembered of it then. */
import type { HistoryMessage } from "../../src/agent/sessions/history-message.ts";
import type { TurnEnd } from "../../src/protocol/client/session-client.ts";
import type { SurvivalRandom } from "./random.ts";

export interface SurvivalTurn {
  readonly session: number;
  readonly turn: number;
  /** Pieces in which the model says its answer. */
  readonly pieces: number;
  /** Whether the model calls the tool that has a side effect, before it answers. */
  readonly pays: boolean;
}

export const PAY_TOOL = "pay";
/** What the model says before it calls the tool: for a while, so that replicas die in it. */
const BEFORE_PAYING =
  "This is to be paid for before it can be said, and so the tool is called now, once and never again. ";
/** Characters of one piece, which is as much as the model server sends at a time. */
export const PIECE_CHARACTERS = 24;

const PAYING_SHARE = 0.6;

export function aSurvivalTurn(
  session: number,
  turn: number,
  random: SurvivalRandom,
  pieces: { from: number; to: number },
): SurvivalTurn {
  const own = random.fork(`turn ${session}.${turn}`);
  return {
    session,
    turn,
    pieces: own.between(pieces.from, pieces.to),
    pays: own.next() < PAYING_SHARE,
  };
}

export function messageOf({ session, turn, pieces, pays }: SurvivalTurn): string {
  return `Message ${turn} of session ${session}: ${pays ? "pay, and say" : "say"} ${pieces} pieces.`;
}

/** The turn that a message asks for. */
export function turnOfMessage(content: string): SurvivalTurn {
  const found = /^Message (\d+) of session (\d+): (pay, and )?say (\d+) pieces\.$/.exec(content);
  if (found === null) throw new Error(`this is no message of the test: ${content}`);
  const [, turn, session, pays, pieces] = found;
  return {
    session: Number(session),
    turn: Number(turn),
    pieces: Number(pieces),
    pays: pays !== undefined,
  };
}

/** The same whenever the model is asked: a call that was made twice would show as that. */
export function callIdOf({ session, turn }: SurvivalTurn): string {
  return `call-${session}-${turn}`;
}

/** What the model says at last, in words that tell what is missing, doubled or out of place. */
export function lastWordsOf({ session, turn, pieces }: SurvivalTurn): string {
  let words = "";
  for (let word = 0; words.length < pieces * PIECE_CHARACTERS; word++)
    words += `${session}.${turn}.${word} `;
  return words.slice(0, pieces * PIECE_CHARACTERS - 1) + ".";
}

export function firstWordsOf({ pays }: SurvivalTurn): string {
  return pays ? BEFORE_PAYING : "";
}

export function answerOf(turn: SurvivalTurn): string {
  return firstWordsOf(turn) + lastWordsOf(turn);
}

/** A call of the tool is in doubt when a replica died during it: the turn says so, and ends. */
export function isInDoubt(turn: SurvivalTurn, end: TurnEnd): boolean {
  return (
    turn.pays &&
    end.type === "error" &&
    end.error.code === "TOOL_ERROR" &&
    end.error.message.includes(`${callIdOf(turn)} of the tool ${PAY_TOOL}`)
  );
}

/** One line for each message, of what of it is settled. */
export function expectedHistory(turn: SurvivalTurn, end: TurnEnd): string[] {
  const paying = turn.pays ? [`assistant: ${firstWordsOf(turn)} [${callIdOf(turn)}]`] : [];
  const paid = turn.pays ? [`tool: ${callIdOf(turn)} ${JSON.stringify(receiptOf(turn))}`] : [];
  const lines = [`user: ${messageOf(turn)}`, ...paying];
  if (end.type === "done") return [...lines, ...paid, `assistant: ${lastWordsOf(turn)}`];
  return [...lines, `tool: ${callIdOf(turn)} in doubt`];
}

export function shownHistory(messages: readonly HistoryMessage[]): string[] {
  return messages.map((message) => {
    switch (message.role) {
      case "user":
        return `user: ${message.content}`;
      case "assistant": {
        const calls = message.toolCalls?.map(({ id }) => ` [${id}]`).join("") ?? "";
        return `assistant: ${message.content}${calls}${message.partial === true ? " (cut)" : ""}`;
      }
      case "tool": {
        const { toolCallId, result, error } = message;
        if (error === undefined) return `tool: ${toolCallId} ${JSON.stringify(result)}`;
        return `tool: ${toolCallId} ${error.includes("is not known") ? "in doubt" : error}`;
      }
    }
  });
}

/** What the tool answers. */
export function receiptOf(turn: SurvivalTurn): { paid: string } {
  return { paid: callIdOf(turn) };
}
