/** A line to the API server that breaks, and refusals: in the end everything is there, and was written once. */
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { AgentsThroughFaults, RECOVERED } from "../../support/operator/agents-through-faults.ts";
import {
  APIFaultProxy,
  everyNth,
  type Fault,
  type FaultRule,
} from "../../support/kubernetes/api-fault-proxy.ts";
import { KUBE_API_SERVER_TIMEOUT_MS } from "../../support/kubernetes/kube-api-server.ts";
import { KubeCluster, OPERATOR_USER } from "../../support/kubernetes/kube-cluster.ts";
import { OperatorProcess } from "../../support/operator/operator-process.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";

const AGENTS = 15;

const cluster = forAllTests(
  () => KubeCluster.start(),
  (cluster) => cluster.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);
const proxy = forAllTests(
  () => APIFaultProxy.start(cluster().server),
  (proxy) => proxy.stop(),
);
const operator = forAllTests(
  async () =>
    await OperatorProcess.start({
      kubeconfig: await cluster().kubeconfigOf(OPERATOR_USER, proxy().url),
    }),
  (operator) => operator.stop(),
);

async function writes(since: number): Promise<number> {
  return (await cluster().audit.writes({ by: OPERATOR_USER, since })).length;
}

describe("an operator makes everything once", () => {
  it("though its watches are cut all the time", async () => {
    const agents = await AgentsThroughFaults.prepare(cluster(), "cut", AGENTS);
    const creating = agents.create();
    const ended = new AbortController();
    const cutting = (async () => {
      while (!ended.signal.aborted) {
        proxy().cutWatches();
        await delay(150);
      }
    })();
    await creating;
    await agents.allRun();
    ended.abort();
    await cutting;
    await agents.wereWrittenOnce();
  });

  it("though requests are refused with 429 and 5xx, and connections break before and after the work", async () => {
    const agents = await AgentsThroughFaults.prepare(cluster(), "refused", AGENTS);
    const busy = { answer: 429, reason: "TooManyRequests", retryAfterSeconds: 1 };
    const ofWrites = (fault: Fault): FaultRule => {
      return ({ method }) => (method === "GET" ? undefined : fault);
    };
    const before = proxy().requests.length;
    const ends = [
      proxy().inject(everyNth(47, () => busy)),
      proxy().inject(everyNth(43, () => ({ answer: 500, reason: "InternalError" }))),
      proxy().inject(everyNth(37, () => ({ answer: 503, reason: "ServiceUnavailable" }))),
      proxy().inject(everyNth(29, ofWrites({ cut: "unanswered" }))),
      proxy().inject(everyNth(23, ofWrites({ cut: "unsent" }))),
    ];
    await agents.create();
    await agents.allRun();
    for (const end of ends) end();
    const answers = new Set(
      proxy()
        .requests.slice(before)
        .map(({ status }) => status),
    );
    expect([...answers]).toEqual(expect.arrayContaining([429, 500, 503, undefined]));
    await agents.wereWrittenOnce();
  });

  it("though the answer to the creation of each config is lost, and the watch shows it late", async () => {
    const agents = await AgentsThroughFaults.prepare(cluster(), "late", AGENTS);
    let lost = 0;
    const ends = [
      proxy().inject(({ isWatch, url }) =>
        isWatch && url.pathname.endsWith("/configmaps") ? { delayMs: 3_000 } : undefined,
      ),
      proxy().inject(({ method, url: { pathname } }) => {
        if (method !== "POST" || !pathname.endsWith("/late/configmaps")) return undefined;
        return lost++ < AGENTS ? { cut: "unanswered" } : undefined;
      }),
    ];
    proxy().cutWatches();
    await agents.create();
    await agents.allRun();
    for (const end of ends) end();
    expect(lost).toBeGreaterThanOrEqual(AGENTS);
    await agents.wereWrittenOnce();
  });

  it("and is as quiet afterwards as before", async () => {
    await vi.waitFor(async () => {
      const since = Date.now();
      await delay(3_000);
      expect(await writes(since)).toBe(0);
    }, RECOVERED);
    expect(operator().hasEnded).toBe(false);
  });
});
