import { MAX_CLIENT_FRAME_BYTES } from "../../protocol/frames.ts";
import type { Check } from "../harness/check.ts";
import { CheckSkipped, ensure } from "../harness/check-failed.ts";
import { ensureNumbered } from "./messages.ts";

/** Frames that are wrong, with the words for what is wrong about them. */
const INVALID: readonly (readonly [what: string, frame: object | string | Buffer])[] = [
  ["a binary frame", Buffer.from('{"type":"message","content":"hello"}')],
  ["text that is no JSON", '{"type": "message", "content": '],
  ["JSON that is no object", '["message"]'],
  ["a frame without a type", { content: "hello" }],
  ["a frame of an unknown type", { type: "no-such-type" }],
  ["a message without content", { type: "message" }],
  ["a message whose content is no string", { type: "message", content: 1 }],
  ["a message whose metadata is no object", { type: "message", content: "x", metadata: "y" }],
  ["a resume without a number", { type: "resume", session_id: "conformance-no-such-session" }],
];

export const REFUSED_FRAMES: readonly Check[] = [
  ...INVALID.map(([what, frame]): Check => ({
    name: `answers ${what} with INVALID_MESSAGE, and stays open`,
    section: "error",
    async run(context) {
      const connection = await context.connect();
      await connection.nextConnected();
      connection.send(frame);
      const error = await connection.nextError("INVALID_MESSAGE", what);
      ensure(!("seq" in error), "the error has a seq");
      await connection.pong();
    },
  })),
  {
    name: "counts no number for an error outside a turn",
    section: "error",
    async run(context) {
      const connection = await context.connect();
      await connection.nextConnected();
      connection.send({ type: "message" });
      await connection.nextError("INVALID_MESSAGE", "a message without content");
      ensureNumbered((await connection.ask("hello")).frames, 1);
    },
  },
  {
    name: "takes a frame of 512 KiB",
    section: "Limits",
    async run(context) {
      if (context.handler !== "echo") throw new CheckSkipped("only an echo can answer to so much");
      const connection = await context.connect();
      await connection.nextConnected();
      const empty = JSON.stringify({ type: "message", content: "" }).length;
      const content = "x".repeat(MAX_CLIENT_FRAME_BYTES - empty);
      ensure((await connection.ask(content)).done.content === content, "the answer is another");
    },
  },
  {
    name: "closes the connection with 1009 for a larger frame",
    section: "Limits",
    async run(context) {
      const connection = await context.connect();
      await connection.nextConnected();
      connection.say("x".repeat(MAX_CLIENT_FRAME_BYTES));
      const code = await connection.closed();
      ensure(code === 1009, `it was closed with ${code}`);
    },
  },
  {
    name: "answers pings",
    section: "Limits",
    async run(context) {
      const connection = await context.connect();
      await connection.nextConnected();
      await connection.pong();
    },
  },
];
