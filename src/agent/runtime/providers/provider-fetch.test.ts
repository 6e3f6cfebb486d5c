import { pipeline, Readable } from "node:stream";
import { describe, expect, it, vi } from "vitest";
import { startHttpServer } from "../../../../test/support/processes/http-server.ts";
import { rejectionOf } from "../../../../test/support/builders/rejection-of.ts";
import { ManualClock } from "../../../../test/support/builders/manual-clock.ts";
import {
  MAX_ANSWER_BYTES,
  MAX_ERROR_BODY_BYTES,
  PROVIDER_IDLE_LIMIT_MS,
} from "../../contracts/limits.ts";
import { createProviderFetch } from "./provider-fetch.ts";

function bodyOf(response: Response): ReadableStream<Uint8Array> {
  if (response.body === null) throw new Error("the response has no body");
  return response.body;
}

describe("the fetch of the provider packages", () => {
  it("gives up a provider that does not begin to answer", async () => {
    const arrived = Promise.withResolvers<void>();
    await using server = await startHttpServer(() => arrived.resolve());
    const clock = new ManualClock();
    const answer = createProviderFetch(clock)(server.url);
    const outcome = rejectionOf(answer);
    await arrived.promise;
    await clock.advance(PROVIDER_IDLE_LIMIT_MS);
    expect(await outcome).toMatchObject({ name: "ProviderSilentError" });
  });

  it("gives up a provider that stops in the middle, and closes the connection", async () => {
    const closed = Promise.withResolvers<void>();
    await using server = await startHttpServer((_request, response) => {
      response.write("first");
      response.once("close", () => closed.resolve());
    });
    const clock = new ManualClock();
    const response = await createProviderFetch(clock)(server.url);
    const reader = bodyOf(response).getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe("first");
    const second = rejectionOf(reader.read());
    await vi.waitUntil(() => clock.pendingTimers === 1);
    await clock.advance(PROVIDER_IDLE_LIMIT_MS);
    expect(await second).toMatchObject({ name: "ProviderSilentError" });
    await closed.promise;
  });

  it("does not take a reader that is slow for a provider that is silent", async () => {
    await using server = await startHttpServer((_request, response) => {
      response.end("all of it");
    });
    const clock = new ManualClock();
    const response = await createProviderFetch(clock)(server.url);
    await clock.advance(10 * PROVIDER_IDLE_LIMIT_MS);
    expect(await response.text()).toBe("all of it");
    expect(clock.pendingTimers).toBe(0);
  });

  it("counts anything that comes as a sign of life", async () => {
    const send = Promise.withResolvers<(text: string) => void>();
    await using server = await startHttpServer((_request, response) => {
      response.flushHeaders();
      send.resolve((text) => response.write(text));
    });
    const clock = new ManualClock();
    const response = await createProviderFetch(clock)(server.url);
    const reader = bodyOf(response).getReader();
    const write = await send.promise;
    for (let round = 0; round < 3; round += 1) {
      const read = reader.read();
      await vi.waitUntil(() => clock.pendingTimers === 1);
      await clock.advance(PROVIDER_IDLE_LIMIT_MS - 1);
      write(": keep-alive\n\n");
      expect((await read).done).toBe(false);
    }
    await reader.cancel();
  });

  it("does not follow a redirect, which would take the key along", async () => {
    await using server = await startHttpServer((_request, response) => {
      response.writeHead(307, { location: "http://127.0.0.1:1/elsewhere" }).end();
    });
    const response = await createProviderFetch(new ManualClock())(server.url, { method: "POST" });
    expect(response.status).toBe(307);
  });

  it("reads no more of an error than helps", async () => {
    await using server = await startHttpServer((_request, response) => {
      response.writeHead(500);
      response.end("x".repeat(MAX_ERROR_BODY_BYTES * 4));
    });
    const response = await createProviderFetch(new ManualClock())(server.url);
    expect((await response.text()).length).toBeLessThanOrEqual(MAX_ERROR_BODY_BYTES);
  });

  it("ends an answer that does not end", async () => {
    const block = Buffer.alloc(1024 * 1024);
    await using server = await startHttpServer((_request, response) => {
      const endless = new Readable({
        read() {
          this.push(block);
        },
      });
      pipeline(endless, response, () => {});
    });
    const response = await createProviderFetch(new ManualClock())(server.url);
    let bytes = 0;
    async function readAll(): Promise<void> {
      for await (const chunk of bodyOf(response)) bytes += chunk.byteLength;
    }
    await expect(readAll()).rejects.toMatchObject({ name: "AnswerTooLargeError" });
    expect(bytes).toBeLessThanOrEqual(MAX_ANSWER_BYTES);
  });

  it("stops at once when its caller does", async () => {
    const closed = Promise.withResolvers<void>();
    await using server = await startHttpServer((_request, response) => {
      response.write("first");
      response.once("close", () => closed.resolve());
    });
    const stop = new AbortController();
    const response = await createProviderFetch(new ManualClock())(server.url, {
      signal: stop.signal,
    });
    const reader = bodyOf(response).getReader();
    await reader.read();
    const second = rejectionOf(reader.read());
    stop.abort();
    expect(await second).toMatchObject({ name: "AbortError" });
    await closed.promise;
  });
});
