import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { ManualClock } from "../../test/support/builders/manual-clock.ts";
import type { CanaryReport } from "../observability/canary-report.ts";
import { systemClock } from "../time/clock.ts";
import { type AskCanary, CanaryProbes, type CanaryReplica } from "./canary-probes.ts";

const replicaOf = (name: string, port = 8081): CanaryReplica => ({
  replica: name,
  host: "127.0.0.1",
  port,
  isReady: true,
});

function probing(ask: AskCanary | undefined, clock = new ManualClock()) {
  const rounds: string[] = [];
  const probes = new CanaryProbes({ clock, ask, onRound: (pack) => rounds.push(pack) });
  const stop = new AbortController();
  const running = probes.run(stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await clock.advance(10_000);
    await running;
  });
  return { probes, rounds, clock };
}

describe("the replicas of a canary", () => {
  it("are asked again and again, and each round is told of", async () => {
    let asked = 0;
    const { probes, rounds, clock } = probing(async ({ host, port }) => {
      expect({ host, port }).toEqual({ host: "127.0.0.1", port: 8081 });
      asked += 1;
      return { process: `process-${asked}` };
    });
    const replicas = [replicaOf("a")];
    expect(probes.of("pack", replicas)).toEqual([
      { replica: "a", isReady: true, report: undefined },
    ]);
    await clock.advance(0);
    expect(probes.of("pack", replicas)).toMatchObject([{ report: { process: "process-1" } }]);
    await clock.advance(2_000);
    expect(probes.of("pack", replicas)).toMatchObject([{ report: { process: "process-2" } }]);
    expect(rounds).toEqual(["pack", "pack"]);
  });

  it("have no report when the last question had no answer", async () => {
    const reports: (CanaryReport | undefined)[] = [{ process: "p" }, undefined];
    const { probes, clock } = probing(async () => reports.shift());
    const replicas = [replicaOf("a")];
    probes.of("pack", replicas);
    await clock.advance(0);
    expect(probes.of("pack", replicas)[0]?.report).toBeDefined();
    await clock.advance(2_000);
    expect(probes.of("pack", replicas)[0]?.report).toBeUndefined();
  });

  it("are not asked any more when their pack is forgotten", async () => {
    let asked = 0;
    const { probes, rounds, clock } = probing(async () => {
      asked += 1;
      return { process: "p" };
    });
    probes.of("pack", [replicaOf("a")]);
    await clock.advance(0);
    probes.forget("pack");
    await clock.advance(20_000);
    expect([asked, rounds.length]).toEqual([1, 1]);
    probes.of("pack", [replicaOf("a")]);
    await clock.advance(0);
    expect(asked).toBe(2);
  });

  it("are asked no more than so many at once, and more rarely when there are many", async () => {
    let open = 0;
    let most = 0;
    const { probes, rounds, clock } = probing(async () => {
      open += 1;
      most = Math.max(most, open);
      await new Promise((resolve) => setImmediate(resolve));
      open -= 1;
      return { process: "p" };
    });
    const many = Array.from({ length: 1_000 }, (_, index) => replicaOf(`replica-${index}`));
    probes.of("pack", many);
    await expect.poll(() => rounds.length).toBe(1);
    expect(most).toBe(64);
    await clock.advance(9_000);
    expect(rounds).toHaveLength(1);
  });

  it.each([
    ["a report", 200, JSON.stringify({ process: "p" }), { process: "p" }],
    ["another page", 200, "<html>", undefined],
    ["a report with an error", 500, JSON.stringify({ process: "p" }), undefined],
    ["nothing of that kind", 404, "{}", undefined],
    ["very much", 200, `{"process":"${"p".repeat(1_000_000)}"}`, undefined],
  ])("may answer with %s", async (_, status, body, report) => {
    const paths: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      paths.push(request.url);
      response.writeHead(status).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const rounds: string[] = [];
    const probes = new CanaryProbes({
      clock: systemClock,
      onRound: (pack) => rounds.push(pack),
    });
    const stop = new AbortController();
    const running = probes.run(stop.signal);
    onTestFinished(async () => {
      stop.abort();
      await running;
      server.closeAllConnections();
      server.close();
    });
    const replicas = [replicaOf("a", port)];
    probes.of("pack", replicas);
    await expect.poll(() => rounds.length).toBeGreaterThan(0);
    expect(probes.of("pack", replicas)[0]?.report).toEqual(report);
    expect(new Set(paths)).toEqual(new Set(["/canary"]));
  });
});
