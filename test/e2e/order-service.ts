import { join } from "node:path";
import { OmniaProcess } from "../support/processes/omnia-process.ts";
import { ROOT } from "./omnia-up.ts";

const PROGRAM = join(ROOT, "examples/production/order-service.mjs");

/** The tool of the production example, as a process. */
export class OrderService implements AsyncDisposable {
  readonly url: string;
  readonly #process: OmniaProcess;

  private constructor(process: OmniaProcess, url: string) {
    this.#process = process;
    this.url = url;
  }

  static async start(): Promise<OrderService> {
    const program = new OmniaProcess([process.execPath, PROGRAM, "0"], {});
    const [, url = ""] = await program.shows(/answers at (http:\S+)/);
    return new OrderService(program, url);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}
