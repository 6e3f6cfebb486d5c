import { once } from "node:events";
import { createServer, get, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { rejectionOf } from "../../../test/support/builders/rejection-of.ts";
import { eachLine, MAX_WATCH_LINE_BYTES, objectDrained, textOf } from "./read-answer.ts";

/** The beginning of an answer whose rest a server sends as `write` says. */
async function anAnswer(write: (response: ServerResponse) => unknown): Promise<IncomingMessage> {
  const server = createServer((_, response) => void write(response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const request = get({ port: (server.address() as AddressInfo).port, host: "127.0.0.1" });
  request.on("error", () => {});
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return response;
}

/** Sends the parts one by one, so that each is a chunk of its own. */
const inParts =
  (...parts: (string | Buffer)[]) =>
  async (response: ServerResponse): Promise<void> => {
    for (const part of parts) {
      response.write(part);
      await nextTurn();
      await nextTurn();
    }
    response.end();
  };

const cutAfter =
  (text: string) =>
  (response: ServerResponse): void => {
    response.writeHead(200, { "content-length": 1_000 }).write(text);
    setImmediate(() => response.socket?.destroy());
  };

async function linesOf(response: IncomingMessage): Promise<string[]> {
  const lines: string[] = [];
  await eachLine(response, (line) => lines.push(line));
  return lines;
}

/** In two parts, between which a character is cut. */
const CUT_CHARACTER = [Buffer.from("é").subarray(0, 1), Buffer.from("é").subarray(1)] as const;

describe("reading an answer", () => {
  it("gives the whole text, whichever way it is cut into chunks", async () => {
    expect(await textOf(await anAnswer((response) => response.end()))).toBe("");
    expect(await textOf(await anAnswer((response) => response.end("whole")))).toBe("whole");
    expect(await textOf(await anAnswer(inParts("a ", ...CUT_CHARACTER, " z")))).toBe("a é z");
  });

  it("waits for the end of an answer that nobody wants", async () => {
    await objectDrained(await anAnswer(inParts("{", "}")));
  });

  it.each([
    ["text", textOf],
    ["nothing", objectDrained],
    ["lines", linesOf],
  ])("fails when the answer is cut, as %s", async (_, read) => {
    expect(await rejectionOf(read(await anAnswer(cutAfter("half"))))).toBeInstanceOf(Error);
    const gone = await anAnswer(cutAfter("half"));
    gone.destroy();
    await once(gone, "close");
    expect(await rejectionOf(read(gone))).toBeInstanceOf(Error);
  });

  it("takes no page, and no empty answer, for that of the API server", async () => {
    const page = objectDrained(await anAnswer((response) => response.end("<html>")));
    await expect(page).rejects.toThrow("the answer is no object of JSON");
    const nothing = objectDrained(await anAnswer((response) => response.end()));
    await expect(nothing).rejects.toThrow("the answer is empty");
  });

  it("fails when nothing is left of the answer", async () => {
    const answer = await anAnswer((response) => response.end("whole"));
    await textOf(answer);
    if (!answer.closed) await once(answer, "close");
    await expect(textOf(answer)).rejects.toThrow("closed early");
  });

  it("gives each line that is not blank, whichever way they are cut into chunks", async () => {
    const answer = await anAnswer(
      inParts("one\ntwo\nth", "r", "ee\n", "\n \r\n", "f", ...CUT_CHARACTER, "ur\n", "five\n"),
    );
    expect(await linesOf(answer)).toEqual(["one", "two", "three", "féur", "five"]);
  });

  it("gives a line before the next one comes", async () => {
    const answer = await anAnswer((response) => response.write("first\n"));
    const first = Promise.withResolvers<string>();
    const reading = eachLine(answer, first.resolve);
    expect(await first.promise).toBe("first");
    answer.destroy();
    await expect(reading).rejects.toBeInstanceOf(Error);
  });

  it("reads nothing after the line that was not taken", async () => {
    const answer = await anAnswer((response) => response.write("one\ntwo\nthree\n"));
    const taken: string[] = [];
    const reading = eachLine(answer, (line) => {
      taken.push(line);
      if (line === "two") throw new Error("not wanted");
    });
    await expect(reading).rejects.toThrow("not wanted");
    expect(answer.destroyed).toBe(true);
    expect(taken).toEqual(["one", "two"]);
  });

  it("keeps no line without an end", async () => {
    const answer = await anAnswer((response) => {
      const part = Buffer.alloc(1024 * 1024, "x");
      const more = (): void => {
        if (response.write(part)) setImmediate(more);
        else response.once("drain", more);
      };
      more();
    });
    await expect(linesOf(answer)).rejects.toThrow(`over ${MAX_WATCH_LINE_BYTES} bytes`);
    expect(answer.destroyed).toBe(true);
  });
});
