/** Prints what `omnia up` has to say: a live table on a terminal, plain lines elsewhere. */
import type { Clock } from "../../time/clock.ts";
import type { Log } from "../../observability/log.ts";
import { withoutSecrets } from "../../observability/secrets/without-secrets.ts";
import type { Line } from "../../observability/terminal/line.ts";
import { printLine, type Output } from "../../observability/terminal/writer.ts";
import { LiveRegion } from "./live-region.ts";
import { ENDING, NO_AGENTS, upTable } from "./table.ts";
import { upTransitions } from "./transitions.ts";
import { chatCommand, type UpView } from "./view.ts";

export interface UpOutput extends Disposable {
  /**
   * Prints the address at which it listens, and the token that others need to read what runs, where it wants one. What runs is not
   * known yet.
   */
  start(url: string, token?: string): void;
  show(view: UpView): void;
  /** Prints something that happened. */
  say(line: string): void;
}

export function createUpOutput(stream: Output, clock: Clock, program: string): UpOutput {
  return stream.isTTY === true
    ? new TerminalOutput(stream, program)
    : new LineOutput(stream, clock, program);
}

class TerminalOutput implements UpOutput {
  readonly #stream: Output;
  readonly #program: string;
  readonly #region: LiveRegion;
  #view: UpView | undefined;
  readonly #onResize = (): void => {
    this.#region.forget();
    this.#draw();
  };

  constructor(stream: Output, program: string) {
    this.#stream = stream;
    this.#program = program;
    this.#region = new LiveRegion(stream);
    stream.on("resize", this.#onResize);
  }

  start(url: string, token?: string): void {
    if (token === undefined) return;
    // A line of the live region would be cut at the edge of the terminal, and half a token opens nothing.
    for (const line of tokenLines(url, token)) printLine(this.#stream, line);
  }

  show(view: UpView): void {
    this.#view = view;
    this.#draw();
  }

  say(line: string): void {
    this.#draw([line]);
  }

  #draw(above: readonly Line[] = []): void {
    // A terminal that does not know its size says 0.
    const columns = this.#stream.columns || 80;
    const rows = this.#stream.rows || 24;
    const lines =
      this.#view === undefined ? [] : upTable(this.#view, { columns, rows }, this.#program);
    this.#region.update(lines, above);
  }

  [Symbol.dispose](): void {
    this.#stream.off("resize", this.#onResize);
  }
}

class LineOutput implements UpOutput {
  readonly #stream: Output;
  readonly #clock: Clock;
  readonly #program: string;
  #view: UpView | undefined;
  #saidHowToTalk = false;

  constructor(stream: Output, clock: Clock, program: string) {
    this.#stream = stream;
    this.#clock = clock;
    this.#program = program;
  }

  start(url: string, token?: string): void {
    this.say(`Serving at ${url}`);
    if (token === undefined) return;
    for (const line of tokenLines(url, token)) this.say(line);
  }

  show(view: UpView): void {
    if (view.ending) this.say(ENDING);
    else if (view.agents.length === 0 && this.#view?.agents.length !== 0) this.say(NO_AGENTS);
    for (const line of upTransitions(this.#view, view)) this.say(line);
    this.#view = view;
    const running = view.agents.find(({ phase }) => phase === "Running");
    if (running === undefined || this.#saidHowToTalk || view.ending) return;
    this.#saidHowToTalk = true;
    this.say(`Talk to it: ${chatCommand(this.#program, running)}`);
  }

  say(line: string): void {
    printLine(this.#stream, `${new Date(this.#clock.now()).toISOString()} ${line}`);
  }

  [Symbol.dispose](): void {}
}

function tokenLines(url: string, token: string): string[] {
  return [
    "Others can reach this address. Its pages and its API want a token, which is new at each start.",
    `In a browser open ${url}/#token=${token}`,
    `Programs send Authorization: Bearer ${token}`,
  ];
}

/** A log for the parts that need one. It prints warnings and errors, each in one line. */
export function logTo(say: (line: string) => void): Log {
  const print = (fields: object, message: string): void => {
    const { error, ...rest } = fields as { error?: unknown };
    const details = Object.entries(rest).map(([name, value]) => `${name}=${String(value)}`);
    const cause = error instanceof Error ? [error.message] : [];
    say(withoutSecrets([[message, ...cause].join(": "), ...details].join(" ")));
  };
  const nothing = (): void => {};
  const log: Log = {
    debug: nothing,
    info: nothing,
    record: nothing,
    warn: print,
    error: print,
    child: () => log,
  };
  return log;
}
