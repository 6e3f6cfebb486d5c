/** How far it is, in one line of a terminal that is drawn again and again. Elsewhere nothing is shown. */
import type { ConversationResult } from "../../evals/run/eval-result.ts";
import { LiveRegion } from "../../local/up/live-region.ts";
import type { Streams } from "../terminal/streams.ts";

export class EvalProgress {
  readonly #region: LiveRegion | undefined;
  readonly #all: number;
  #ended = 0;
  #failed = 0;

  constructor(stderr: Streams["stderr"], all: number) {
    this.#region = stderr.isTTY === true ? new LiveRegion(stderr) : undefined;
    this.#all = all;
    this.#draw();
  }

  add({ failure, checks }: ConversationResult): void {
    this.#ended += 1;
    if (failure !== undefined || checks.some(({ outcome }) => outcome === "failed")) {
      this.#failed += 1;
    }
    this.#draw();
  }

  /** Takes the line away. */
  end(): void {
    this.#region?.update([]);
  }

  #draw(): void {
    const failed = this.#failed === 0 ? "" : `, ${this.#failed} with failures`;
    this.#region?.update([`${this.#ended} of ${this.#all} conversations${failed}`]);
  }
}
