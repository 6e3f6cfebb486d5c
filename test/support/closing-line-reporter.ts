import type { Reporter, SerializedError, TestModule, Vitest } from "vitest/node";
import { failureLines } from "./failure-lines.ts";

/**
 * Ends a run with one line, `N passed, N failed`, that a person or a machine reads first. What did not run (a file that could not be
 * loaded, a skipped test, an error outside of any test, no test at all) counts as failed: nothing is left out in silence. The lines
 * before it say what failed and why.
 */
export default class ClosingLineReporter implements Reporter {
  #passed = 0;
  #failed = 1;
  #isNameFiltered = false;
  #lines: readonly string[] = [];

  onInit(vitest: Vitest): void {
    this.#isNameFiltered = vitest.getGlobalTestNamePattern() !== undefined;
    // At the very end: Vitest itself may have something to say after the run.
    process.once("exit", (code) => {
      if (code !== 0 && this.#failed === 0) this.#failed = 1;
      if (code === 0 && this.#failed > 0) process.exitCode = 1;
      for (const line of this.#lines) process.stdout.write(`\n${line}`);
      process.stdout.write(`\n${this.#passed} passed, ${this.#failed} failed\n`);
    });
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    this.#passed = 0;
    this.#failed = unhandledErrors.length;
    for (const module of modules) {
      let failedHere = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed") this.#passed += 1;
        // A test that -t leaves out was not meant to run.
        else if (state !== "skipped" || !this.#isNameFiltered) failedHere += 1;
      }
      if (module.state() === "failed") failedHere = Math.max(failedHere, 1);
      this.#failed += failedHere;
    }
    if (this.#passed + this.#failed === 0) this.#failed = 1;
    this.#lines = failureLines({
      modules,
      unhandledErrors,
      isNameFiltered: this.#isNameFiltered,
    });
  }
}
