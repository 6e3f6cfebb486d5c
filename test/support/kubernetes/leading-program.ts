/**
 * A program that leads whenever it may: `leading-program.ts KUBECONFIG IDENTITY`. While it leads it writes one write after another,
 * and looks up from that only when one fails. Prints what happens, with the time.
 */
import { KubeConfig } from "@kubernetes/client-node";
import { KubeClient } from "../../../src/kube/client/client.ts";
import { LeaseLostError, runAsLeader } from "../../../src/kube/controller/leader-election.ts";
import { RateLimiter } from "../../../src/kube/client/rate-limiter.ts";
import { createTransport } from "../../../src/kube/client/transport.ts";
import { systemClock } from "../../../src/time/clock.ts";

const [kubeconfig = "", identity = ""] = process.argv.slice(2);
const WRITTEN = { group: "", version: "v1", kind: "ConfigMap", plural: "configmaps" } as const;

const say = (what: string): boolean =>
  process.stdout.write(`${JSON.stringify({ at: Date.now(), what })}\n`);

const kubeConfig = new KubeConfig();
kubeConfig.loadFromFile(kubeconfig);
const client = new KubeClient({
  transport: createTransport(kubeConfig),
  rateLimiter: new RateLimiter({ clock: systemClock, perSecond: 1_000, burst: 1_000 }),
  fieldManager: identity,
});
const ending = new AbortController();
process.once("SIGTERM", () => ending.abort());

while (!ending.signal.aborted) {
  try {
    await runAsLeader(
      {
        client,
        namespace: "default",
        name: "leading",
        identity,
        clock: systemClock,
        random: Math.random,
        onError: () => {},
      },
      async (signal, leadership) => {
        say("leads");
        const fenced = client.fencedBy(() => leadership.assertHeld());
        for (let count = 0; ; count += 1) {
          const object = {
            metadata: { namespace: "default", name: "written", labels: { identity } },
          };
          try {
            await fenced.apply(
              { ...WRITTEN, namespaced: true },
              { ...object, data: { count: String(count) } } as typeof object,
              { signal: ending.signal },
            );
          } catch (error) {
            if (error instanceof LeaseLostError || signal.aborted) break;
            await systemClock.sleep(50);
          }
          if (ending.signal.aborted) break;
        }
        say(signal.aborted ? "ended" : "ended early");
      },
      ending.signal,
    );
  } catch (error) {
    if (!(error instanceof LeaseLostError)) throw error;
    say("lost");
  }
}
