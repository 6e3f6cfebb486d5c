import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { pipedMessages } from "./input.ts";

async function messages(...chunks: (string | Buffer)[]): Promise<string[]> {
  const all: string[] = [];
  for await (const message of pipedMessages(
    Readable.from(chunks.map((chunk) => Buffer.from(chunk))),
  )) {
    all.push(message);
  }
  return all;
}

describe("the input of a chat", () => {
  it("takes every line that holds something for a message", async () => {
    expect(await messages("one\r\n\n  \ntwo\nthree")).toEqual(["one", "two", "three"]);
  });

  it("joins a line that came in pieces, also within a character", async () => {
    const [euro] = [Buffer.from("€")];
    expect(
      await messages("pri", "ce: ", euro.subarray(0, 1), euro.subarray(1), " 5\nnext"),
    ).toEqual(["price: € 5", "next"]);
  });

  it("ends at /quit", async () => {
    expect(await messages("one\n/quit\ntwo\n")).toEqual(["one"]);
  });

  it("refuses a line that is longer than a message may be", async () => {
    await expect(
      messages("x".repeat(300 * 1024), "x".repeat(300 * 1024), "\n"),
    ).rejects.toMatchObject({
      code: "too-large",
    });
  });
});
