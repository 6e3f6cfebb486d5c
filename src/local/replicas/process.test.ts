import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { SecretValues } from "../../observability/secrets/secret-values.ts";
import { systemClock } from "../../time/clock.ts";
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

/** What a process needs depends on what else the machine does. */
const PATIENTLY = { timeout: 20_000 };

describe("a replica that runs a runtime in another framework", () => {
  it("runs in the folder of its manifest, and leaves no runtime behind when it is killed", async () => {
    const folder = await mkdtemp(join(tmpdir(), "replica-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const program = `
      const { spawn } = require("node:child_process");
      const runtime = spawn(process.execPath, ["-e", "setInterval(() => {}, 1_000)"], {
        detached: true,
        stdio: "ignore",
      });
      process.send({ type: "runtime-process", pid: runtime.pid }, () =>
        require("node:fs").writeFileSync("runtime.pid", String(runtime.pid)));
      setInterval(() => {}, 60_000);`;
    const replica = new ReplicaProcess({
      execPath: process.execPath,
      arguments: ["-e", program],
      environment: {},
      workingFolder: folder,
      logFile: join(folder, "replica.log"),
      secretValues: new SecretValues([]),
      clock: systemClock,
      onChange: () => {},
      onError: () => {},
    });
    onTestFinished(() => replica.kill());
    const pid = await vi.waitFor(
      async () => {
        const text = await readFile(join(folder, "runtime.pid"), "utf8");
        expect(text).not.toBe("");
        return text;
      },
      { timeout: 10_000 },
    );
    const stateOf = (): Promise<string> =>
      readFile(`/proc/${pid}/stat`, "utf8").catch(() => "gone");
    expect(await stateOf()).not.toMatch(/gone|\) Z /);
    process.kill(replica.pid ?? 0, "SIGKILL");
    await vi.waitFor(async () => expect(await stateOf()).toMatch(/gone|\) Z /), {
      timeout: 10_000,
    });
  });
});

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
    }, PATIENTLY);
  });
});
