/**
 * Ends the processes of a test with the test, whatever way that ends: a `kill -9` of the test leaves none behind, nor their
 * folder. A shell waits for the test to close the line to it, which the system does for those who cannot any more.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/** Reads who has begun ("12") and who has ended ("-12"), one a line; at the end of it ends the rest. */
const WATCH = `
awk '/^-/ { delete running[substr($0, 2)]; next }
  { running[$0] }
  END { for (pid in running) system("kill -KILL " pid " 2>/dev/null") }'
for attempt in 1 2 3 4 5; do rm -rf "$1" 2>/dev/null && exit; sleep 0.1; done
`;

export class ProcessGuard {
  readonly #watch: ChildProcess;

  /** The folder is removed with the processes. */
  constructor(folder: string) {
    // In a session of its own: what a terminal sends to the test is not for it.
    this.#watch = spawn("sh", ["-c", WATCH, "sh", folder], {
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
    this.#watch.unref();
  }

  watch(child: ChildProcess): void {
    const { pid } = child;
    if (pid === undefined) return;
    this.#watch.stdin?.write(`${pid}\n`);
    child.once("exit", () => {
      if (this.#watch.stdin?.writable === true) this.#watch.stdin.write(`-${pid}\n`);
    });
  }

  /** Settles when all is gone. */
  async end(): Promise<void> {
    if (this.#watch.exitCode !== null || this.#watch.signalCode !== null) return;
    const exit = once(this.#watch, "exit");
    // Nothing else may be left that this process waits for.
    this.#watch.ref();
    this.#watch.stdin?.end();
    await exit;
  }
}
