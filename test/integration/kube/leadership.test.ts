/** Processes that want to lead, of which one does: killed, cut off and stopped. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it, vi } from "vitest";
import { APIFaultProxy } from "../../support/kubernetes/api-fault-proxy.ts";
import { AuditLog } from "../../support/kubernetes/audit-log.ts";
import {
  KUBE_API_SERVER_TIMEOUT_MS,
  startKubeAPIServer,
} from "../../support/kubernetes/kube-api-server.ts";
import { folderForAllTests, forAllTests } from "../../support/builders/fixtures.ts";

const PROGRAM = fileURLToPath(import.meta.resolve("../../support/kubernetes/leading-program.ts"));
const TAKEOVER = { timeout: 60_000, interval: 20 };
type User = "one" | "two";

const MASTERS = ["system:masters"];

const stops: (() => Promise<void>)[] = [];

const folder = folderForAllTests();
const audit = forAllTests(() => AuditLog.create(folder()));
const server = forAllTests(
  () => startKubeAPIServer({ flags: audit().flags, users: { one: MASTERS, two: MASTERS } }),
  (server) => server.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
  // The lease of those who were killed is not waited for.
  await server().request(
    "DELETE",
    "/apis/coordination.k8s.io/v1/namespaces/default/leases/leading",
  );
});

interface Leader {
  readonly pid: number;
  readonly proxy: APIFaultProxy;
  /** In order. */
  said(): string[];
  /** When it said so last. */
  at(what: string): number;
  end(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
}

/** A process of a user's own, behind a proxy of its own. */
async function start(user: User): Promise<Leader> {
  const proxy = await APIFaultProxy.start(server());
  const kubeconfig = join(folder(), user);
  const text = await readFile(server().kubeconfig, "utf8");
  await writeFile(kubeconfig, text.replaceAll(server().token, server().tokens[user] ?? ""));
  const through = await proxy.kubeconfig(kubeconfig);
  const child: ChildProcess = spawn(process.execPath, [PROGRAM, through, user], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const killWithTest = (): boolean => child.kill("SIGKILL");
  process.once("exit", killWithTest);
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
  const lines = (): { at: number; what: string }[] =>
    output
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as { at: number; what: string });
  const end = async (signal: "SIGTERM" | "SIGKILL"): Promise<void> => {
    process.removeListener("exit", killWithTest);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    child.kill(signal);
    await exit;
  };
  stops.push(async () => {
    await end("SIGKILL");
    await proxy.stop();
  });
  return {
    pid: child.pid ?? 0,
    proxy,
    said: () => lines().map(({ what }) => what),
    at: (what) => lines().findLast((line) => line.what === what)?.at ?? Number.NaN,
    end,
  };
}

async function startBoth(): Promise<[leader: Leader, follower: Leader]> {
  const leader = await start("one");
  await vi.waitFor(() => expect(leader.said()).toEqual(["leads"]), TAKEOVER);
  const follower = await start("two");
  const looksAtLease = (): boolean =>
    follower.proxy.requests.some(({ url }) => url.pathname.endsWith("/leases/leading"));
  await vi.waitFor(() => expect(looksAtLease()).toBe(true), TAKEOVER);
  await vi.waitFor(async () => expect((await writes("one")).length).toBeGreaterThan(0), TAKEOVER);
  return [leader, follower];
}

const writes = (by: User, since = 0) => audit().writes({ by, since });

describe("of processes that want to lead,", () => {
  it("one follows another that was killed, within 15 s, and does not write before", async () => {
    const [leader, follower] = await startBoth();
    expect(await writes("two")).toEqual([]);
    await leader.end("SIGKILL");
    await vi.waitFor(() => expect(follower.said()).toEqual(["leads"]), TAKEOVER);
  });

  it("one that cannot reach the server ends before another begins", async () => {
    const [leader, follower] = await startBoth();
    await leader.proxy.refuse();
    await vi.waitFor(() => expect(follower.said()).toEqual(["leads"]), TAKEOVER);
    await vi.waitFor(() => expect(leader.said()).toEqual(["leads", "ended", "lost"]), TAKEOVER);
    expect(leader.at("ended")).toBeLessThan(follower.at("leads"));
    // It comes back as one that waits, and follows at once one that ends in order.
    await leader.proxy.accept();
    await follower.end("SIGTERM");
    await vi.waitFor(() => expect(leader.said().at(-1)).toBe("leads"), TAKEOVER);
  });

  it("one that stood still while another took over writes nothing when it goes on", async () => {
    const [leader, follower] = await startBoth();
    const stopped = Promise.withResolvers<void>();
    // In the middle of a write, whose answer is the first thing that it finds when it goes on.
    const end = leader.proxy.inject(({ method }) => {
      if (method !== "PATCH") return undefined;
      process.kill(leader.pid, "SIGSTOP");
      stopped.resolve();
      return { delayMs: 50 };
    });
    await stopped.promise;
    await vi.waitFor(() => expect(follower.said()).toEqual(["leads"]), TAKEOVER);
    end();
    const since = Date.now();
    process.kill(leader.pid, "SIGCONT");
    await vi.waitFor(() => expect(leader.said()).toEqual(["leads", "ended", "lost"]), TAKEOVER);
    await delay(500);
    expect(await writes("one", since)).toEqual([]);
    expect(follower.said()).toEqual(["leads"]);
  });
});
