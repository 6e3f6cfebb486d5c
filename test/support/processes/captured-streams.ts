import { Readable, Writable } from "node:stream";
import type { Streams } from "../../../src/cli/terminal/streams.ts";

/** Streams of a command that keep what was printed. They are no terminal unless `terminal` says so. */
export function capturedStreams(
  options: { input?: string; env?: Streams["env"]; terminal?: boolean } = {},
): { streams: Streams; out: () => string; err: () => string } {
  const isTTY = options.terminal === true;
  const stdout = new Captured(isTTY);
  const stderr = new Captured(isTTY);
  return {
    streams: {
      stdin: Readable.from(options.input === undefined ? [] : [Buffer.from(options.input)]),
      stdout,
      stderr,
      env: options.env ?? {},
    },
    out: () => stdout.text,
    err: () => stderr.text,
  };
}

class Captured extends Writable {
  text = "";
  readonly isTTY: boolean;

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}
