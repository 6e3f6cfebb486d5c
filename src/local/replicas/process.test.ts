import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { SecretValues } from "../../observability/secrets/secret-values.ts";
import { ReplicaProcess } from "./process.ts";

/** A process that runs until it is ended, and whose management port is this server. */
async function aProcessThatAnswers(answer: RequestListener) {
  let probes = 0;
  const server = createServer((request, response) => {
    probes += 1;
    answer(request, response);
  }).listen(0, "127.0.0.1");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, "listening");
  const folder = await mkdtemp(join(tmpdir(), "replica-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { port } = server.address() as AddressInfo;
  const listening = { type: "listening", facadePort: 1, managementPort: port };
  const clock = new ManualClock();
  const replica = new ReplicaProcess({
    execPath: process.execPath,
    arguments: ["-e", `process.send(${JSON.stringify(listening)}); setInterval(() => {}, 60_000);`],
    environment: {},
    logFile: join(folder, "replica.log"),
    secretValues: new SecretValues([]),
    clock,
    onChange: () => {},
    onError: () => {},
  });
  onTestFinished(async () => {
    replica.kill();
    await vi.waitFor(() => expect(replica.state.state).toBe("ended"));
  });
  /** Waits until the replica has probed so often, and then lets the time for the last probe go by. */
  const outlast = async (count: number): Promise<void> => {
    await vi.waitFor(
      async () => {
        if (probes < count) await clock.advance(100);
        expect(probes).toBe(count);
      },
      { timeout: 10_000, interval: 20 },
    );
    await clock.advance(4_000);
  };
  return { replica, clock, outlast };
}

describe("the readiness of a replica", () => {
  it("follows the answers of its process", async () => {
    let reasons: string[] = ["the session store does not answer"];
    const { replica, clock } = await aProcessThatAnswers((_request, response) => {
      response.writeHead(reasons.length === 0 ? 200 : 503).end(JSON.stringify({ reasons }));
    });
    await vi.waitFor(() =>
      expect(replica.state).toEqual({ state: "starting", message: reasons.join() }),
    );
    reasons = [];
    await vi.waitFor(async () => {
      await clock.advance(100);
      expect(replica.state).toEqual({ state: "ready", facadePort: 1 });
    });
  });

  it.each([
    ["says that it is ready, and", 200],
    ["says that it is not, and", 503],
  ])("takes an answer that %s never ends for none, and ends the process", async (_says, status) => {
    const { replica, outlast } = await aProcessThatAnswers((_request, response) => {
      response.writeHead(status).write("{");
    });
    for (let probe = 1; probe <= 8; probe += 1) {
      await outlast(probe);
      expect(replica.state.state).not.toBe("ready");
    }
    await vi.waitFor(() =>
      expect(replica.state).toEqual({ state: "ended", message: "it did not answer and was ended" }),
    );
  });

  it("takes an answer that breaks off for none", async () => {
    const { replica, clock } = await aProcessThatAnswers((_request, response) => {
      response.writeHead(200, { "content-length": 100 }).write("{");
      setImmediate(() => response.socket?.destroy());
    });
    await vi.waitFor(async () => {
      await clock.advance(100);
      expect(replica.state).toEqual({ state: "starting", message: "it does not answer" });
    });
  });
});
