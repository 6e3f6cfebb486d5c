import { deserializeMessage, type JSONRPCMessage } from "@modelcontextprotocol/client";
import { describe, expect, it } from "vitest";
import { MAX_COMMAND_NOISE_BYTES, MAX_MCP_ANSWER_BYTES } from "../server/limits.ts";
import { CommandOutput } from "./command-output.ts";

const PING = { jsonrpc: "2.0", id: 1, method: "ping" };
const LINE = `${JSON.stringify(PING)}\n`;

function anOutput(...chunks: (string | Buffer)[]) {
  const output = new CommandOutput(deserializeMessage);
  for (const chunk of chunks) output.append(Buffer.from(chunk));
  return output;
}

function messagesOf(output: CommandOutput): JSONRPCMessage[] {
  const messages: JSONRPCMessage[] = [];
  for (let each = output.readMessage(); each !== null; each = output.readMessage()) {
    messages.push(each);
  }
  return messages;
}

describe("what a command prints", () => {
  it("is one message a line, in whichever pieces it comes", () => {
    const text = Buffer.from(`${LINE}${JSON.stringify({ ...PING, method: "größe" })}\r\n`);
    const bytes = Array.from(text, (byte) => Buffer.of(byte));
    for (const output of [anOutput(text), anOutput(...bytes)]) {
      expect(messagesOf(output)).toEqual([PING, { ...PING, method: "größe" }]);
      expect(output.readMessage()).toBeNull();
    }
  });

  it.each(["Welcome!\n", "\n", "[]\n", "null\n", "42\n", "{not json\n", '{"a":1}\n', "\u0000\n"])(
    "may have %j before a message, which is passed over",
    (noise) => {
      expect(messagesOf(anOutput(noise, LINE, noise, LINE))).toEqual([PING, PING]);
    },
  );

  it.each(["y\n", "{y\n"])("ends when %j never ends", (noise) => {
    const output = anOutput();
    const chunk = Buffer.from(noise.repeat(20_000));
    const print = (): void => {
      for (let bytes = 0; bytes <= MAX_COMMAND_NOISE_BYTES + chunk.length; bytes += chunk.length) {
        output.append(chunk);
        expect(output.readMessage()).toBeNull();
      }
    };
    expect(print).toThrow("it prints no messages of MCP");
    expect(() => output.append(chunk)).toThrow("it prints no messages of MCP");
  });

  it("may be noisy for as long as messages come between", () => {
    const noise = `${"x".repeat(MAX_COMMAND_NOISE_BYTES / 2)}\n`;
    const output = anOutput();
    for (let round = 0; round < 5; round += 1) {
      output.append(Buffer.from(noise + LINE));
      expect(messagesOf(output)).toEqual([PING]);
    }
  });

  it("ends with a line that is longer than an answer may be", () => {
    const piece = Buffer.alloc(MAX_MCP_ANSWER_BYTES / 2, "x");
    const output = anOutput(piece, piece);
    expect(() => output.append(piece)).toThrow("a line is too long");
    output.append(Buffer.from(`\n${LINE}`));
    expect(messagesOf(output)).toEqual([PING]);
  });
});
