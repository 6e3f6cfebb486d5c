import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ManualClock } from "../../test/support/builders/manual-clock.ts";
import { systemClock } from "../time/clock.ts";
import { askReadiness } from "./ask-readiness.ts";

const HOST = "127.0.0.1";
const never = new AbortController().signal;

async function aReplica(answer: RequestListener): Promise<{ host: string; port: number }> {
  const server = createServer(answer).listen(0, HOST);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, "listening");
  return { host: HOST, port: (server.address() as AddressInfo).port };
}

const saying = (status: number, body: string) =>
  aReplica((_request, response) => void response.writeHead(status).end(body));

describe("asking a replica", () => {
  it("tells that it is ready", async () => {
    const replica = await saying(200, "{}");
    expect(await askReadiness(replica, systemClock, never)).toEqual({ ready: true, reasons: [] });
  });

  it("tells why it is not, and what that is about", async () => {
    const reason = { about: "provider", message: "the key is empty" };
    const body = JSON.stringify({ reasons: [reason.message], details: [reason] });
    expect(await askReadiness(await saying(503, body), systemClock, never)).toEqual({
      ready: false,
      reasons: [reason],
    });
  });

  it.each(["<html>", "x".repeat(1_000_000)])("takes other words for none", async (body) => {
    expect(await askReadiness(await saying(503, body), systemClock, never)).toEqual({
      ready: false,
      reasons: [{ message: "it says that it is not ready" }],
    });
  });

  it("tells nothing when nobody answers, or nobody in time", async () => {
    expect(await askReadiness({ host: HOST, port: 1 }, systemClock, never)).toBeUndefined();
    const silent = vi.fn();
    const clock = new ManualClock();
    const asked = askReadiness(await aReplica(silent), clock, never);
    await vi.waitFor(() => expect(silent).toHaveBeenCalled());
    await clock.advance(4_000);
    expect(await asked).toBeUndefined();
  });

  it("ends with its signal", async () => {
    const ending = new AbortController();
    const silent = vi.fn();
    const asked = askReadiness(await aReplica(silent), systemClock, ending.signal);
    await vi.waitFor(() => expect(silent).toHaveBeenCalled());
    ending.abort();
    expect(await asked).toBeUndefined();
  });
});
