import type { ApprovalAnswer, EarlierCall, EarlierRun, EarlierStep } from "../contracts/handler.ts";
import type { AssistantMessage, HistoryMessage, ToolMessage } from "../sessions/history-message.ts";
import { OUTCOME_NOT_KNOWN } from "../sessions/unended-record.ts";
import type { AbandonedTurn } from "../sessions/session-store.ts";
import type { JournalEntry } from "../sessions/turn-journal.ts";
import { addUsage } from "../../protocol/add-usage.ts";

export interface CallInDoubt {
  readonly id: string;
  readonly name: string;
  /** Another replica that took the turn over has told the clients already, and ended before the turn did. */
  readonly isTold: boolean;
}

export interface JournalReading {
  readonly earlier: EarlierRun;
  /** The calls that were begun and whose outcome is not known. */
  readonly inDoubt: readonly CallInDoubt[];
  /** How often the turn was taken over, including this time. */
  readonly takeovers: number;
}

interface OpenStep {
  readonly entry: Extract<JournalEntry, { type: "step" }>;
  readonly started: Set<string>;
  readonly outcomes: Map<string, ToolMessage>;
  readonly answers: Map<string, CallAnswered>;
}

type CallAnswered = Extract<JournalEntry, { type: "call-answered" }>;

/** What the journal of a turn tells of the run of the replica that died. */
export function readJournal({ journal }: Pick<AbandonedTurn, "journal">): JournalReading {
  const steps: OpenStep[] = [];
  /** The calls that were begun and are not done. */
  const open = new Map<string, CallInDoubt>();
  let usage: EarlierRun["usage"];
  let said = "";
  let unfinishedFrom = 0;
  let takeovers = 0;
  for (const entry of journal) {
    switch (entry.type) {
      case "said":
        said += entry.text;
        break;
      case "step":
        steps.push({ entry, started: new Set(), outcomes: new Map(), answers: new Map() });
        unfinishedFrom = said.length;
        usage = addUsage(usage, entry.usage);
        break;
      case "call-started":
        steps.at(-1)?.started.add(entry.id);
        open.set(entry.id, { id: entry.id, name: entry.name, isTold: false });
        break;
      case "call-done":
        steps.at(-1)?.outcomes.set(entry.message.toolCallId, entry.message);
        close(open, entry.message);
        break;
      case "call-answered":
        steps.at(-1)?.answers.set(entry.id, entry);
        break;
      case "went-on":
        // What was said, spent and survived before belongs to the turn that waited.
        said = "";
        unfinishedFrom = 0;
        usage = undefined;
        takeovers = 0;
        break;
      case "taken-over":
        takeovers += 1;
        break;
    }
  }
  return {
    earlier: {
      steps: steps.map(closed),
      usage,
      said,
      unfinished: said.slice(unfinishedFrom),
    },
    inDoubt: [...open.values()],
    takeovers,
  };
}

function close(open: Map<string, CallInDoubt>, { toolCallId, error }: ToolMessage): void {
  const call = open.get(toolCallId);
  if (call !== undefined && error === OUTCOME_NOT_KNOWN)
    open.set(toolCallId, { ...call, isTold: true });
  else open.delete(toolCallId);
}

/** The messages of the earlier run for the history. A call without an outcome has no tool message yet. */
export function messagesOfEarlier({ steps }: EarlierRun): HistoryMessage[] {
  return steps.flatMap(({ message, calls }) => [
    message,
    ...calls.flatMap(({ outcome }) => outcome ?? []),
  ]);
}

function closed({ entry, started, outcomes, answers }: OpenStep): EarlierStep {
  const { inputs, finishReason } = entry;
  const message = answers.size === 0 ? entry.message : withEdits(entry.message, answers);
  const calls = (message.toolCalls ?? []).map(
    ({ id, name, arguments: toolArguments }): EarlierCall => {
      const answer = answers.get(id);
      const written = answer?.arguments === undefined ? inputs?.[id] : undefined;
      return {
        id,
        name,
        input: written ?? JSON.stringify(toolArguments),
        isStarted: started.has(id),
        outcome: outcomes.get(id),
        answer: answer && approvalAnswer(answer),
      };
    },
  );
  return { message, calls, finishReason };
}

/** The model is told the arguments that its calls were made with. */
function withEdits(
  message: AssistantMessage,
  answers: ReadonlyMap<string, CallAnswered>,
): AssistantMessage {
  const toolCalls = (message.toolCalls ?? []).map((call) => {
    const edited = answers.get(call.id)?.arguments;
    return edited === undefined ? call : { ...call, arguments: { ...edited } };
  });
  return { ...message, toolCalls };
}

function approvalAnswer({ isApproved, reason }: CallAnswered): ApprovalAnswer {
  return isApproved ? { isApproved } : { isApproved, reason };
}
