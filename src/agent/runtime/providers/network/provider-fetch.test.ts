import { execFile } from "node:child_process";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { pipeline, Readable } from "node:stream";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { startHttpServer } from "../../../../../test/support/processes/http-server.ts";
import { rejectionOf } from "../../../../../test/support/builders/rejection-of.ts";
import { ManualClock } from "../../../../../test/support/builders/manual-clock.ts";
import {
  MAX_ANSWER_BYTES,
  MAX_ERROR_BODY_BYTES,
  PROVIDER_CONNECT_LIMIT_MS,
  PROVIDER_IDLE_LIMIT_MS,
} from "../../../contracts/limits.ts";
import type { AnswerReader, ProviderAnswer } from "./provider-answer.ts";
import { createProviderFetch } from "./provider-fetch.ts";

function readerOf({ body }: ProviderAnswer): AnswerReader {
  if (body === null) throw new Error("the response has no body");
  return body.getReader();
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
    const reader = readerOf(response);
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
    const reader = readerOf(response);
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
      const reader = readerOf(response);
      for (;;) {
        const { value } = await reader.read();
        if (value === undefined) return;
        bytes += value.byteLength;
      }
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
    const reader = readerOf(response);
    await reader.read();
    const second = rejectionOf(reader.read());
    stop.abort();
    expect(await second).toMatchObject({ name: "AbortError" });
    await closed.promise;
  });

  it("gives up a connection that does not come about", async () => {
    // It takes connections, and says nothing of TLS on them.
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as AddressInfo;
    const clock = new ManualClock();
    const outcome = rejectionOf(createProviderFetch(clock)(`https://127.0.0.1:${port}`));
    await vi.waitUntil(() => clock.pendingTimers === 2);
    await clock.advance(PROVIDER_CONNECT_LIMIT_MS);
    expect(await outcome).toMatchObject({ message: "fetch failed", cause: { code: "ETIMEDOUT" } });
    expect(clock.pendingTimers).toBe(0);
  });

  it("gives an answer without a body", async () => {
    await using server = await startHttpServer((_request, response) => {
      response.writeHead(204).end();
    });
    const clock = new ManualClock();
    const response = await createProviderFetch(clock)(server.url);
    expect(response).toMatchObject({ ok: true, status: 204, body: null });
    expect(clock.pendingTimers).toBe(0);
  });

  it("asks nobody when its caller had stopped before", async () => {
    let requests = 0;
    await using server = await startHttpServer((_request, response) => {
      requests += 1;
      response.end();
    });
    const reason = new Error("enough");
    const answer = createProviderFetch(new ManualClock())(server.url, {
      signal: AbortSignal.abort(reason),
    });
    expect(await rejectionOf(answer)).toBe(reason);
    expect(requests).toBe(0);
  });

  it("goes by the proxy that the environment names", async () => {
    const asked: (string | undefined)[] = [];
    await using proxy = await startHttpServer((request, response) => {
      asked.push(request.url);
      response.end("by the proxy");
    });
    const code = `
      import { systemClock } from "${join(import.meta.dirname, "../../../../time/clock.ts")}";
      import { createProviderFetch } from "${join(import.meta.dirname, "provider-fetch.ts")}";
      const answer = await createProviderFetch(systemClock)("http://models.example/v1");
      console.log(await answer.text());`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--input-type=module", "--eval", code],
      { env: { NODE_USE_ENV_PROXY: "1", HTTP_PROXY: proxy.url } },
    );
    expect(stdout.trim()).toBe("by the proxy");
    expect(asked).toEqual(["http://models.example/v1"]);
  });

  it("asks again on the same connection", async () => {
    const ports = new Set<number | undefined>();
    await using server = await startHttpServer((request, response) => {
      ports.add(request.socket.remotePort);
      response.end("text");
    });
    const ask = createProviderFetch(new ManualClock());
    for (let request = 0; request < 5; request += 1) await (await ask(server.url)).text();
    expect(ports.size).toBe(1);
  });

  it("loses no request on a connection that its server closes behind an answer", async () => {
    const answer = "HTTP/1.1 200 OK\r\nconnection: keep-alive\r\ncontent-length: 4\r\n\r\ntext";
    const server = createServer((socket) => {
      socket.on("error", () => {}).once("data", () => socket.end(answer));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const ask = createProviderFetch(new ManualClock());
    for (let request = 0; request < 20; request += 1) {
      expect(await (await ask(`http://127.0.0.1:${port}`)).text()).toBe("text");
    }
  });
});
