/** `omnia conformance-runtime`: a runtime that does what it is told passes, and each flaw fails the check that names it. */
import { describe, expect, it, onTestFinished } from "vitest";
import type { CheckResult } from "../../../src/conformance/harness/run-checks.ts";
import { runRuntimeSuite } from "../../../src/conformance/runtime/run-runtime-suite.ts";
import { RUNTIME_CHECKS } from "../../../src/conformance/runtime/runtime-checks.ts";
import { omnia, printedJSON } from "../../support/processes/omnia-process.ts";
import { startObedientRuntime, type Flaws } from "../../support/runtimes/obedient-runtime.ts";

async function aRuntime(flaws: Flaws = {}): Promise<URL> {
  const runtime = await startObedientRuntime({ pauseMs: 3, ...flaws });
  onTestFinished(() => runtime.close());
  return new URL(runtime.url);
}

async function resultsOf(url: URL, result: CheckResult["result"]): Promise<Record<string, string>> {
  const results = await runRuntimeSuite(url, {
    timeoutMs: 20_000,
    signal: new AbortController().signal,
    onResult: () => {},
  });
  const wanted = results.filter((check) => check.result === result);
  return Object.fromEntries(wanted.map(({ name, reason = "" }) => [name, reason]));
}

describe("a runtime fails the check", () => {
  it.each<[flaw: string, flaws: Flaws, check: RegExp, reason: RegExp]>([
    [
      "does not say that a run begins",
      { event: (event) => (event.type === "RUN_STARTED" ? [] : [event]) },
      /^answers a POST/,
      /^the first event is another one$/,
    ],
    [
      "does not say that a run ends",
      { event: (event) => (event.type === "RUN_FINISHED" ? [] : [event]) },
      /^answers a POST/,
      /without RUN_FINISHED or RUN_ERROR/,
    ],
    [
      "goes on behind the end of a run",
      { event: (event) => (event.type === "RUN_FINISHED" ? [event, event] : [event]) },
      /^answers a POST/,
      /^an event came behind RUN_FINISHED$/,
    ],
    [
      "answers with JSON",
      { contentType: "application/json" },
      /^answers a POST/,
      /^its answer is no text\/event-stream$/,
    ],
    [
      "fails, with a key in its words",
      {
        event: (event) =>
          event.type === "RUN_FINISHED" ? [{ type: "RUN_ERROR", message: "sk-secret" }] : [event],
      },
      /^answers a POST/,
      /^the run ended in RUN_ERROR; its own log may say why$/,
    ],
    [
      "sends deltas without text",
      { event: (event) => [{ ...event, delta: undefined }] },
      /^says its answer/,
      /^TEXT_MESSAGE_CONTENT: "delta" is missing or invalid$/,
    ],
    [
      "says nothing",
      { event: (event) => (event.type.startsWith("TEXT_") ? [] : [event]) },
      /^says its answer/,
      /^the run ended without any text$/,
    ],
    [
      "breaks of what is no RunAgentInput",
      { refusal: 500 },
      /^refuses what is no RunAgentInput/,
      /^it answered with 500$/,
    ],
    [
      "breaks of what is no JSON",
      { refusal: 500 },
      /^refuses what is no JSON/,
      /^it answered with 500$/,
    ],
    [
      "takes 100 kB at most",
      { maxBytes: 100_000 },
      /^takes a request of 1 MiB/,
      /^it answered with 413$/,
    ],
    [
      "has a memory of its own",
      { input: (input, earlier) => ({ ...input, messages: [...earlier, ...input.messages] }) },
      /^remembers nothing of another thread/,
      /^the answer holds a word of another thread$/,
    ],
    [
      "makes up the result of a tool",
      {
        event: (event) =>
          event.type === "TOOL_CALL_END"
            ? [event, { ...event, type: "TOOL_CALL_RESULT", content: "red" }]
            : [event],
      },
      /^calls a tool of the request/,
      /^it gave the result of a tool that is not its own$/,
    ],
    [
      "does not end its calls",
      { event: (event) => (event.type === "TOOL_CALL_END" ? [] : [event]) },
      /^calls a tool of the request/,
      /^the call has no TOOL_CALL_END$/,
    ],
    [
      "loses a part of the arguments",
      { event: (event) => (event["delta"] === '"blue"}' ? [] : [event]) },
      /^calls a tool of the request/,
      /^the arguments of the call are no JSON object$/,
    ],
    [
      "sends arguments of a call that it did not begin",
      { event: (event) => (event.type === "TOOL_CALL_START" ? [] : [event]) },
      /^calls a tool of the request/,
      /^TOOL_CALL_ARGS came before TOOL_CALL_START of its call$/,
    ],
    [
      "does not read the results of tools",
      {
        input: (input) => ({
          ...input,
          messages: input.messages.filter(({ role }) => role === "system" || role === "user"),
        }),
      },
      /^goes on with the result/,
      /^it called the tool again, with the result before it$/,
    ],
    [
      "makes one run after the other",
      { isOneAtATime: true, pauseMs: 30 },
      /^makes two runs at once/,
      /^it made one run after the other$/,
    ],
    [
      "dies of a request that is closed",
      { diesOfClosedRequests: true },
      /^goes on answering/,
      /^it cannot be reached: /,
    ],
    [
      "does not end where the messages make no sense",
      { event: (event) => (event.type === "RUN_ERROR" ? [] : [event]) },
      /^ends its stream also where/,
      /without RUN_FINISHED or RUN_ERROR/,
    ],
  ])("when it %s", async (_, flaws, check, reason) => {
    const failures = await resultsOf(await aRuntime(flaws), "fail");
    const found = Object.entries(failures).filter(([name]) => check.test(name));
    expect(found).toEqual([[expect.anything(), expect.stringMatching(reason)]]);
  });
});

describe("what a model has to show is skipped when it does not", () => {
  it.each<[flaw: string, flaws: Flaws, checks: RegExp[]]>([
    [
      "of the system prompt",
      {
        input: (input) => ({
          ...input,
          messages: input.messages.filter(({ role }) => role !== "system"),
        }),
      },
      [/^tells its model the system prompt/],
    ],
    [
      "of its history",
      { input: (input) => ({ ...input, messages: input.messages.slice(-1) }) },
      [/^tells its model the system/, /^tells its model the earlier/, /^remembers nothing/],
    ],
    [
      "of tools",
      { input: (input) => ({ ...input, tools: [] }) },
      [/^calls a tool/, /^goes on with the result/],
    ],
  ])("%s", async (_, flaws, checks) => {
    const url = await aRuntime(flaws);
    const skipped = await resultsOf(url, "skip");
    for (const check of checks) {
      const found = Object.entries(skipped).filter(([name]) => check.test(name));
      expect(found).toEqual([[expect.anything(), expect.stringMatching(/^not shown: /)]]);
    }
  });
});

describe("the command", () => {
  // Its runs last long enough to be seen side by side on a busy machine.
  it("passes a runtime that does what it is told", async () => {
    const { out, code } = await omnia([
      "conformance-runtime",
      String(await aRuntime({ pauseMs: 150 })),
    ]);
    expect(out).toMatch(/^pass {2}Answer +answers a POST of RunAgentInput/m);
    expect(out).toMatch(new RegExp(`\n${RUNTIME_CHECKS.length} passed, 0 failed, 0 skipped\n$`));
    expect(code).toBe(0);
  });

  it("prints one JSON object, and fails when a check does", async () => {
    const url = await aRuntime({ maxBytes: 100_000, pauseMs: 150 });
    const result = await omnia(["conformance-runtime", url.href, "-o", "json"]);
    expect(printedJSON(result)).toMatchObject({
      url: url.href,
      passed: RUNTIME_CHECKS.length - 1,
      failed: 1,
      skipped: 0,
    });
    expect(result.code).toBe(1);
  });

  it("says what is wrong with the address", async () => {
    expect(await omnia(["conformance-runtime"])).toMatchObject({ code: 2 });
    expect(await omnia(["conformance-runtime", "nonsense"])).toMatchObject({ code: 2 });
    expect(await omnia(["conformance-runtime", "ws://127.0.0.1:1"])).toMatchObject({ code: 2 });
    const nobody = await omnia(["conformance-runtime", "http://127.0.0.1:1"]);
    expect(nobody).toMatchObject({ code: 1, out: "" });
    expect(nobody.err).toMatch(/^omnia: http:\/\/127.0.0.1:1\/: it cannot be reached: /);
  });
});
