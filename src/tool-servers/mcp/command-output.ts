/** What a command prints, read as messages of MCP. Takes the place of the client's own reader, which judges every line, however many there are. */
import type { JSONRPCMessage } from "@modelcontextprotocol/client";
import { MAX_COMMAND_NOISE_BYTES, MAX_MCP_ANSWER_BYTES } from "../server/limits.ts";

/** The bytes for which a line counts that looks like a message and is none: it costs more to find out. */
const LOOKALIKE_BYTES = 1024;
const OPENING_BRACE = 0x7b;
const BLANKS = new Set([0x20, 0x09, 0x0d]);

export class CommandOutput {
  /** Throws when the line is no message. */
  readonly #parse: (line: string) => JSONRPCMessage;
  #rest: Buffer[] = [];
  #restBytes = 0;
  #lines: Buffer[] = [];
  #noiseBytes = 0;

  constructor(parse: (line: string) => JSONRPCMessage) {
    this.#parse = parse;
  }

  /** Throws when the command prints more than an answer may have, or goes on printing what is no message: it is ended then. */
  append(chunk: Buffer): void {
    if (this.#noiseBytes > MAX_COMMAND_NOISE_BYTES) throw new Error("it prints no messages of MCP");
    let start = 0;
    for (let end = chunk.indexOf("\n"); end !== -1; end = chunk.indexOf("\n", start)) {
      const line = Buffer.concat([...this.#rest, chunk.subarray(start, end)]);
      this.#rest = [];
      this.#restBytes = 0;
      this.#take(line);
      start = end + 1;
    }
    this.#rest.push(chunk.subarray(start));
    this.#restBytes += chunk.length - start;
    if (this.#restBytes <= MAX_MCP_ANSWER_BYTES) return;
    this.clear();
    throw new Error("a line is too long");
  }

  /** The next message; null when there is none yet. */
  readMessage(): JSONRPCMessage | null {
    for (let line = this.#lines.shift(); line !== undefined; line = this.#lines.shift()) {
      try {
        const message = this.#parse(line.toString("utf8"));
        this.#noiseBytes = 0;
        return message;
      } catch {
        this.#noiseBytes += Math.max(line.length + 1, LOOKALIKE_BYTES);
        if (this.#noiseBytes > MAX_COMMAND_NOISE_BYTES) this.#lines = [];
      }
    }
    return null;
  }

  clear(): void {
    this.#rest = [];
    this.#restBytes = 0;
    this.#lines = [];
  }

  /** Many programs print a greeting, or what they are about to do. */
  #take(line: Buffer): void {
    const first = line.find((byte) => !BLANKS.has(byte));
    if (first === OPENING_BRACE) this.#lines.push(line);
    else this.#noiseBytes += line.length + 1;
  }
}
