import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { createUpOutput, logTo } from "./output.ts";
import type { AgentView, UpView } from "./view.ts";

const agent = (overrides: Partial<AgentView> = {}): AgentView => ({
  name: "bot",
  namespace: "default",
  phase: "Pending",
  ready: "0/1",
  handler: "demo",
  model: "",
  reason: "",
  ...overrides,
});
const view = (overrides: Partial<UpView> = {}): UpView => ({
  url: "http://localhost:8080",
  agents: [agent()],
  problems: [],
  complaints: [],
  ending: false,
  ...overrides,
});

function output() {
  const stream = new PassThrough({ encoding: "utf8" });
  const shown = createUpOutput(stream, new ManualClock(), "omnia");
  return {
    ...bind(shown),
    lines: () =>
      ((stream.read() as string | null) ?? "")
        .trimEnd()
        .split("\n")
        .map((line) => line.replace(/^\S+ /, "")),
  };
}

function bind(shown: ReturnType<typeof createUpOutput>) {
  return {
    start: (url: string) => shown.start(url),
    show: (next: UpView) => shown.show(next),
    say: (line: string) => shown.say(line),
  };
}

describe("the lines of a log", () => {
  it("say what changes, once, with the time", () => {
    const stream = new PassThrough({ encoding: "utf8" });
    const shown = createUpOutput(stream, new ManualClock(), "omnia");
    shown.start("http://localhost:8080");
    expect(stream.read()).toBe("2026-01-01T00:00:00.000Z Serving at http://localhost:8080\n");
    shown.show(view());
    expect(stream.read()).toBe(
      "2026-01-01T00:00:00.000Z AgentRuntime default/bot: Pending, 0/1 ready\n",
    );
    shown.show(view());
    expect(stream.read()).toBeNull();
  });

  it("say the token that others need, and where a browser is let in by it", () => {
    const stream = new PassThrough({ encoding: "utf8" });
    createUpOutput(stream, new ManualClock(), "omnia").start("http://localhost:8080", "a-token");
    expect((stream.read() as string).replaceAll(/^\S+ /gm, "")).toMatchInlineSnapshot(`
      "Serving at http://localhost:8080
      Others can reach this address. Its pages and its API want a token, which is new at each start.
      In a browser open http://localhost:8080/#token=a-token
      Programs send Authorization: Bearer a-token
      "
    `);
    const terminal = Object.assign(new PassThrough({ encoding: "utf8" }), { isTTY: true });
    using shown = createUpOutput(terminal, new ManualClock(), "omnia");
    shown.start("http://localhost:8080");
    expect(terminal.read()).toBeNull();
    shown.start("http://localhost:8080", "a-token");
    expect(terminal.read()).toContain("http://localhost:8080/#token=a-token\n");
  });

  it("say how to talk to the first agent that runs, once", () => {
    const { show, lines } = output();
    show(view());
    lines();
    show(view({ agents: [agent({ phase: "Running", ready: "1/1" })] }));
    expect(lines()).toEqual([
      "AgentRuntime default/bot: Running, 1/1 ready",
      "Talk to it: omnia chat bot",
    ]);
    show(
      view({
        agents: [
          agent({ phase: "Running", ready: "1/1" }),
          agent({ name: "other", phase: "Running" }),
        ],
      }),
    );
    expect(lines()).toEqual(["AgentRuntime default/other: Running, 0/1 ready"]);
    show(view({ agents: [] }));
    expect(lines()).toEqual([
      "There are no AgentRuntimes in the files.",
      "AgentRuntime default/bot: removed",
      "AgentRuntime default/other: removed",
    ]);
  });

  it("say what is wrong with its place, and that it is no more", () => {
    const { show, lines } = output();
    const problem = {
      file: "a.yaml",
      line: 1,
      column: 2,
      severity: "error" as const,
      message: "bad",
    };
    show(view());
    lines();
    show(
      view({ problems: [problem, { ...problem, line: 9, severity: "warning", message: "odd" }] }),
    );
    expect(lines()).toEqual(["a.yaml:1:2: bad", "a.yaml:9:2: warning: odd"]);
    show(view({ problems: [problem] }));
    expect(lines()).toEqual([""]);
    show(view());
    expect(lines()).toEqual(["a.yaml: no problems any more"]);
  });

  it("say that it ends, and not that the agents go", () => {
    const { show, lines } = output();
    show(view());
    lines();
    show(view({ agents: [], ending: true }));
    expect(lines()).toEqual(["Ending: the agents finish what they do. Ctrl-C again ends at once."]);
  });

  it("hold no line break of others", () => {
    const { say, lines } = output();
    say("a message\nof others\u001B[2J");
    expect(lines()).toEqual(["a message of others\\u{1b}[2J"]);
  });
});

describe("a log for the parts that want one", () => {
  it("says warnings in a line, without secrets", () => {
    const said: string[] = [];
    const log = logTo((line) => said.push(line));
    log.info({}, "not said");
    log
      .child({})
      .warn({ agent: "bot", error: new Error("redis://me:hunter2@host failed") }, "trouble");
    expect(said).toEqual(["trouble: redis://[redacted]@host failed agent=bot"]);
  });
});
