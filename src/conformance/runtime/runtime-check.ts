/** A check of a runtime is a sentence that is true of it or not. It finds out by runs of its own. */
import type { NamedCheck } from "../harness/run-checks.ts";
import type { Run } from "./run.ts";
import type { RunInput } from "./run-input.ts";

export interface RuntimeCheck extends NamedCheck {
  /** Says what the runtime does. It completes a sentence that begins with "The runtime". */
  readonly name: string;
  /** Rejects with a CheckFailed, or with a CheckSkipped when the runtime did not show what it does. */
  run(context: RuntimeCheckContext): Promise<void>;
}

export interface RuntimeCheckContext {
  /** Posts the input, as an agent does at the begin of a step. Fails when the answer is no stream of events. */
  readonly post: (input: RunInput) => Promise<Run>;
  /** Posts whatever it is given. */
  readonly postBody: (body: string) => Promise<PostAnswer>;
}

export interface PostAnswer {
  readonly status: number;
  /** Set when the answer is a stream of events. */
  readonly run: Run | undefined;
}
