import { isDeepStrictEqual } from "node:util";
import { CheckSkipped, ensure } from "../harness/check-failed.ts";
import { systemClock } from "../../time/clock.ts";
import { ensureShown, newMarker } from "./marker.ts";
import type { Run, RunCall, RunEnd } from "./run.ts";
import { runInput, type RunMessage, type RunTool } from "./run-input.ts";
import type { PostAnswer, RuntimeCheck, RuntimeCheckContext } from "./runtime-check.ts";

const GREETING: RunMessage = { role: "user", content: "Say hello in one short sentence." };
const BIG_REQUEST_BYTES = 1024 * 1024;
/** Shorter runs may be over before they can be seen beside each other. */
const MIN_SHOWN_RUN_MS = 100;

const TOOL: RunTool = {
  name: "conformance_lookup",
  description: "Looks up the word of a key. It is the only way to learn that word.",
  parameters: {
    type: "object",
    properties: { key: { type: "string", description: "The key" } },
    required: ["key"],
  },
};
const ASKS_FOR_CALL: RunMessage = {
  role: "user",
  content: `Call the tool ${TOOL.name} with the key "blue", then answer with the word that it gives you and nothing else.`,
};

export const RUNTIME_CHECKS: readonly RuntimeCheck[] = [
  {
    name: "answers a POST of RunAgentInput with a stream of events, from RUN_STARTED to RUN_FINISHED",
    section: "Answer",
    async run({ post }) {
      await (await post(runInput([GREETING]))).finished();
    },
  },
  {
    name: "says its answer in deltas of text",
    section: "Answer",
    async run({ post }) {
      const { text } = await (await post(runInput([GREETING]))).finished();
      ensure(text.trim() !== "", "the run ended without any text");
    },
  },
  {
    name: "refuses what is no RunAgentInput with a status of 400 to 499, or with RUN_ERROR",
    section: "Answer",
    async run({ postBody }) {
      await ensureRefused(await postBody('{"messages": "none"}'));
    },
  },
  {
    name: "refuses what is no JSON with a status of 400 to 499, or with RUN_ERROR",
    section: "Answer",
    async run({ postBody }) {
      await ensureRefused(await postBody("{no JSON"));
    },
  },
  {
    name: "takes a request of 1 MiB",
    section: "Answer",
    async run({ post }) {
      const forwardedProps = { padding: "x".repeat(BIG_REQUEST_BYTES) };
      await (await post(runInput([GREETING], { forwardedProps }))).finished();
    },
  },
  {
    name: "tells its model the system prompt",
    section: "Messages",
    async run({ post }) {
      const marker = newMarker();
      const system = `The password is ${marker}. It is no secret: tell it to everyone who asks, as it is written.`;
      const { text } = await (
        await post(runInput([{ role: "system", content: system }, ask("What is the password?")]))
      ).finished();
      ensureShown(
        text,
        marker,
        "the answer lacks a word that the system prompt asks for; some frameworks drop system messages unless they are told not to",
      );
    },
  },
  {
    name: "tells its model the earlier messages of the conversation",
    section: "Messages",
    async run(context) {
      await showMemory(context);
    },
  },
  {
    name: "remembers nothing of another thread",
    section: "Messages",
    async run(context) {
      const marker = await showMemory(context);
      const { text } = await (
        await context.post(runInput([ask("What is my password? Say it as I wrote it.")]))
      ).finished();
      ensure(!text.includes(marker), "the answer holds a word of another thread");
    },
  },
  {
    name: "calls a tool of the request, and leaves its result to whoever sent it",
    section: "Tools",
    async run({ post }) {
      callOf(await (await post(runInput([ASKS_FOR_CALL], { tools: [TOOL] }))).finished());
    },
  },
  {
    name: "goes on with the result of a tool that a second POST brings",
    section: "Tools",
    async run({ post }) {
      const tools = [TOOL];
      const call = callOf(await (await post(runInput([ASKS_FOR_CALL], { tools }))).finished());
      const marker = newMarker();
      const { id, name, arguments: json } = call;
      const toolCalls = [{ id, type: "function" as const, function: { name, arguments: json } }];
      const messages: RunMessage[] = [
        ASKS_FOR_CALL,
        { role: "assistant", content: "", toolCalls },
        { role: "tool", toolCallId: id, content: JSON.stringify({ word: marker }) },
      ];
      const { text, calls } = await (await post(runInput(messages, { tools }))).finished();
      const again = calls.some((other) => other.name === name && sameJSON(other.arguments, json));
      ensure(!again, "it called the tool again, with the result before it");
      ensureShown(text, marker, "the answer lacks the result of the tool");
    },
  },
  {
    name: "makes two runs at once",
    section: "Runs",
    async run({ post }) {
      const one = newMarker();
      const other = newMarker();
      const runs = await Promise.all([
        timed(() => post(runInput([ask(`Say this word and nothing else: ${one}`)]))),
        timed(() => post(runInput([ask(`Say this word and nothing else: ${other}`)]))),
      ]);
      const [first, second] = runs;
      ensure(!first.end.text.includes(other), "a run holds the text of another one");
      ensure(!second.end.text.includes(one), "a run holds the text of another one");
      const overlap = first.began < second.ended && second.began < first.ended;
      const shortest = Math.min(...runs.map(({ began, ended }) => ended - began));
      if (!overlap && shortest < MIN_SHOWN_RUN_MS) {
        throw new CheckSkipped("not shown: its runs are too short");
      }
      ensure(overlap, "it made one run after the other");
    },
  },
  {
    name: "goes on answering after a request was closed in the middle of a run",
    section: "Runs",
    async run({ post }) {
      const run = await post(
        runInput([ask("Count from 1 to 200 in words, one number a line, and say nothing else.")]),
      );
      const hasSpoken = await run.untilText();
      const wasOver = run.hasEnded;
      run.close();
      // A runtime may notice the close while it makes the first of them.
      for (const _ of ["first", "second"]) await (await post(runInput([GREETING]))).finished();
      if (!hasSpoken || wasOver) throw new CheckSkipped("not shown: its run was too short");
    },
  },
  {
    name: "ends its stream also where the messages make no sense",
    section: "Runs",
    async run({ postBody }) {
      const orphan: RunMessage = { role: "tool", toolCallId: "nobody", content: "lost" };
      const { status, run } = await postBody(JSON.stringify(runInput([orphan])));
      // Frameworks throw where a result has no call, which an agent never sends.
      if (status >= 400) return;
      ensure(run !== undefined, `it answered with ${status}`);
      await run.ended();
    },
  },
];

function ask(content: string): RunMessage {
  return { role: "user", content };
}

function isRefusal(status: number): boolean {
  return status >= 400 && status < 500;
}

async function ensureRefused({ status, run }: PostAnswer): Promise<void> {
  if (isRefusal(status)) return;
  ensure(run !== undefined, `it answered with ${status}`);
  const { type } = await run.ended();
  ensure(type === "RUN_ERROR", "it made a run of it");
}

/** Has the runtime repeat a word of an earlier message, and settles with that word. */
async function showMemory({ post }: RuntimeCheckContext): Promise<string> {
  const marker = newMarker();
  const { text } = await (
    await post(
      runInput([
        ask(`My password is ${marker}. You will be asked for it.`),
        { role: "assistant", content: "I will remember it." },
        ask("What is my password? Say it as I wrote it."),
      ]),
    )
  ).finished();
  ensureShown(text, marker, "the answer lacks a word of an earlier message");
  return marker;
}

/** The call of the run's tool, which has to be whole and without a result. */
function callOf({ calls }: RunEnd): RunCall {
  const call = calls.find(({ name }) => name === TOOL.name);
  if (call === undefined) {
    throw new CheckSkipped("not shown: it did not call the tool, which may be up to its model");
  }
  ensure(call.hasEnded, "the call has no TOOL_CALL_END");
  ensure(!call.hasResult, "it gave the result of a tool that is not its own");
  ensure(isObject(call.arguments), "the arguments of the call are no JSON object");
  return call;
}

function isObject(json: string): boolean {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function sameJSON(one: string, other: string): boolean {
  return isDeepStrictEqual(isObject(one) && JSON.parse(one), isObject(other) && JSON.parse(other));
}

async function timed(
  post: () => Promise<Run>,
): Promise<{ began: number; ended: number; end: RunEnd }> {
  const run = await post();
  await run.next();
  const began = systemClock.monotonic();
  const end = await run.finished();
  return { began, ended: systemClock.monotonic(), end };
}
