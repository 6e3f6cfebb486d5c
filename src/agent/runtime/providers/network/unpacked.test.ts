import { promisify } from "node:util";
import { createGzip, brotliCompress, constants, deflate, gzip, zstdCompress } from "node:zlib";
import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../../../test/support/builders/manual-clock.ts";
import { rejectionOf } from "../../../../../test/support/builders/rejection-of.ts";
import { startHttpServer } from "../../../../../test/support/processes/http-server.ts";
import type { ProviderAnswer } from "./provider-answer.ts";
import { createProviderFetch } from "./provider-fetch.ts";

const TEXT = "data: what the model said\n\n".repeat(1_000);

/** Asks a server that answers with these bytes, which are said to have this encoding. */
async function answerOf(encoding: string, bytes: Uint8Array): Promise<string> {
  await using server = await startHttpServer((_request, response) => {
    response.writeHead(200, { "content-encoding": encoding }).end(bytes);
  });
  return await (await createProviderFetch(new ManualClock())(server.url)).text();
}

describe("a compressed answer", () => {
  it.each([
    ["gzip", gzip],
    ["x-gzip", gzip],
    [" GZIP ", gzip],
    ["deflate", deflate],
    ["br", brotliCompress],
    ["zstd", zstdCompress],
  ])("is read where it is in %s", async (encoding, compress) => {
    const bytes = await promisify<string, Buffer>(compress)(TEXT);
    expect(await answerOf(encoding, bytes)).toBe(TEXT);
  });

  it("is read where it was compressed twice", async () => {
    const bytes = await promisify(gzip)(await promisify<string, Buffer>(brotliCompress)(TEXT));
    expect(await answerOf("br, gzip", bytes)).toBe(TEXT);
  });

  it.each(["identity", "unheard-of", "gzip, unheard-of", "gzip,".repeat(6)])(
    "is left as it is where it is in %s",
    async (encoding) => {
      expect(await answerOf(encoding, Buffer.from(TEXT))).toBe(TEXT);
    },
  );

  it("is read as far as it came where it breaks off", async () => {
    const bytes = await promisify<string, Buffer>(gzip)(TEXT);
    expect(TEXT.startsWith(await answerOf("gzip", bytes.subarray(0, -20)))).toBe(true);
  });

  it("fails where it is not compressed as its header says", async () => {
    expect(await rejectionOf(answerOf("gzip", Buffer.from(TEXT)))).toMatchObject({
      message: "terminated",
      cause: { code: "Z_DATA_ERROR" },
    });
  });

  it("is read as it comes", async () => {
    const packed = createGzip({ flush: constants.Z_SYNC_FLUSH });
    await using server = await startHttpServer((_request, response) => {
      response.writeHead(200, { "content-encoding": "gzip" });
      packed.pipe(response);
    });
    const answered: Promise<ProviderAnswer> = createProviderFetch(new ManualClock())(server.url);
    packed.write("first");
    const { body } = await answered;
    const reader = body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe("first");
    packed.end("second");
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe("second");
    expect(await reader?.read()).toMatchObject({ done: true });
  });
});
