/**
 * What is kept of a turn while it runs, beside its frames: enough for another replica to go on with it, or to say
 * truthfully what became of it. It is gone when the turn has ended: then the history tells. Where the turn ended because
 * calls wait for an approval, it stays, and the turn that goes on has it too.
 */
import type { FinishReason, Usage } from "../../protocol/frames.ts";
import type { AssistantMessage, ToolMessage } from "./history-message.ts";

/** What a turn was begun with, beside its message. */
export interface TurnOrigin {
  handler?: string;
  /** The content hash of the prompt pack that the session has. */
  promptVersion?: string;
  metadata?: Readonly<Record<string, unknown>> | undefined;
  /** When the message came, in milliseconds since 1970. */
  startedAt?: number | undefined;
  /** The replica that began it, by the name that people know it by. */
  replica?: string | undefined;
  /** The model that it asks. */
  model?: string | undefined;
}

export type JournalEntry =
  /** Text of the answer, as the clients were sent it; all of them together are the answer so far. */
  | {
      readonly type: "said";
      readonly text: string;
      /** When the answer began. Only the first one of a turn has it. This time and the others are in milliseconds since 1970. */
      readonly at?: number | undefined;
    }
  /** The model has said what it had to say for now, and which calls it intends. */
  | {
      readonly type: "step";
      readonly message: AssistantMessage;
      /** What the model wrote as arguments, by call, where `message` does not hold it as it was. */
      readonly inputs?: Readonly<Record<string, string>>;
      readonly usage?: Usage;
      /** The answer is complete with this step, and ends so. */
      readonly finishReason?: Exclude<FinishReason, "cancelled">;
    }
  /** From now on the call may have had its effect. */
  | {
      readonly type: "call-started";
      readonly id: string;
      readonly name: string;
      readonly at?: number | undefined;
      /** The call of another agent of the pack that made this call. */
      readonly parent?: string | undefined;
    }
  | { readonly type: "call-done"; readonly message: ToolMessage; readonly at?: number | undefined }
  /** The user was asked whether the call may be made, and has answered. */
  | {
      readonly type: "call-answered";
      readonly id: string;
      readonly isApproved: boolean;
      /** In place of those that the model wrote. */
      readonly arguments?: Readonly<Record<string, unknown>>;
      /** Why the call was denied. */
      readonly reason?: string;
    }
  /** All calls have their answers, and a turn of another id goes on from here. The store writes this entry. */
  | {
      readonly type: "went-on";
      readonly at?: number | undefined;
      readonly replica?: string | undefined;
    }
  /** Another replica took the turn over. The store writes this entry. */
  | { readonly type: "taken-over"; readonly replica?: string | undefined };

/** Entries that follow each other. `first` is the number of the first one within the turn, from 0, so that none is kept twice. */
export interface JournalPart {
  readonly first: number;
  readonly entries: readonly JournalEntry[];
}

export const NO_JOURNAL: JournalPart = { first: 0, entries: [] };
