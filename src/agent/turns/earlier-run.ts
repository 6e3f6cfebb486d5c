/** What the journal of a turn tells of its earlier run. */
import type { EarlierCall, EarlierRun, EarlierStep } from "../handlers/handler.ts";
import type { HistoryMessage, ToolMessage } from "../sessions/history-message.ts";
import type { AbandonedTurn } from "../sessions/session-store.ts";
import type { JournalEntry } from "../sessions/turn-journal.ts";
import { addUsage } from "./add-usage.ts";

export interface CallInDoubt {
  readonly id: string;
  readonly name: string;
}

export interface JournalReading {
  readonly earlier: EarlierRun;
  /** Calls that were begun and whose outcome is not known. */
  readonly inDoubt: readonly CallInDoubt[];
  /** How often the turn was taken over, this time included. */
  readonly takeovers: number;
}

interface OpenStep {
  readonly entry: Extract<JournalEntry, { type: "step" }>;
  readonly started: Set<string>;
  readonly outcomes: Map<string, ToolMessage>;
}

export function readJournal({
  journal,
  origin,
}: Pick<AbandonedTurn, "journal" | "origin">): JournalReading {
  const steps: OpenStep[] = [];
  /** Begun and not done. */
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
        steps.push({ entry, started: new Set(), outcomes: new Map() });
        unfinishedFrom = said.length;
        usage = addUsage(usage, entry.usage);
        break;
      case "call-started":
        steps.at(-1)?.started.add(entry.id);
        open.set(entry.id, { id: entry.id, name: entry.name });
        break;
      case "call-done":
        steps.at(-1)?.outcomes.set(entry.message.toolCallId, entry.message);
        open.delete(entry.message.toolCallId);
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
      promptVersion: origin.promptVersion,
    },
    inDoubt: [...open.values()],
    takeovers,
  };
}

/** What the history is to hold of it: a call without an outcome has no result there yet. */
export function messagesOfEarlier({ steps }: EarlierRun): HistoryMessage[] {
  return steps.flatMap(({ message, calls }) => [
    message,
    ...calls.flatMap(({ outcome }) => outcome ?? []),
  ]);
}

function closed({ entry, started, outcomes }: OpenStep): EarlierStep {
  const { message, inputs, finishReason } = entry;
  const calls = (message.toolCalls ?? []).map(
    ({ id, name, arguments: toolArguments }): EarlierCall => ({
      id,
      name,
      input: inputs?.[id] ?? JSON.stringify(toolArguments),
      isStarted: started.has(id),
      outcome: outcomes.get(id),
    }),
  );
  return { message, calls, finishReason };
}
