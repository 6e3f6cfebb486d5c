/** Ctrl-C first asks the running work to stop. It ends the command when there is no such work. */
import { CliError } from "./cli-error.ts";

export class Interrupts implements Disposable {
  readonly #end = new AbortController();
  readonly #press = (): void => this.press();
  #stop: (() => boolean) | undefined;

  constructor() {
    process.on("SIGINT", this.#press);
  }

  /** Aborted when the command is to end. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  /** `stop` is called first from now on. It returns whether there was something to stop. */
  firstAsk(stop: () => boolean): void {
    this.#stop = stop;
  }

  press(): void {
    if (this.#stop?.() !== true) this.end();
  }

  end(): void {
    this.#end.abort(new CliError("Interrupted."));
  }

  [Symbol.dispose](): void {
    process.off("SIGINT", this.#press);
  }
}
