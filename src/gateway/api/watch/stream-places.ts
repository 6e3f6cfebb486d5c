/** How many streams of changes may be open at one time: in all, so that some connections are left for requests that end, and of one caller. */
import { ApiProblem } from "../requests/api-problem.ts";

export const MAX_STREAMS = 128;
/** One caller leaves room for others. A page has one stream while it is seen. */
export const MAX_STREAMS_PER_CALLER = 16;

export class StreamPlaces {
  #taken = 0;
  readonly #ofCaller = new Map<string, number>();

  /**
   * Takes a place until the answer is disposed of, once or more often. Throws an ApiProblem where there is none. Callers without a subject
   * are not told apart, and so share only the places of all.
   */
  take(subject: string | undefined): Disposable {
    const own = subject === undefined ? 0 : (this.#ofCaller.get(subject) ?? 0);
    if (own >= MAX_STREAMS_PER_CALLER) {
      throw new ApiProblem(
        "TooManyRequests",
        `you have ${own} streams open, and no more are taken of one caller`,
        { cure: "Close a stream, or follow all namespaces with one." },
      );
    }
    if (this.#taken >= MAX_STREAMS) {
      throw new ApiProblem("Unavailable", "no more streams are taken just now");
    }
    this.#taken += 1;
    if (subject !== undefined) this.#ofCaller.set(subject, own + 1);
    let isTaken = true;
    return {
      [Symbol.dispose]: () => {
        if (!isTaken) return;
        isTaken = false;
        this.#taken -= 1;
        if (subject === undefined) return;
        const left = (this.#ofCaller.get(subject) ?? 1) - 1;
        if (left > 0) this.#ofCaller.set(subject, left);
        else this.#ofCaller.delete(subject);
      },
    };
  }
}
