/** `omnia gateway`: runs the front door of a cluster as a process, with its signals, its log and its credentials. */
import { randomBytes } from "node:crypto";
import packageJSON from "../../../package.json" with { type: "json" };
import { findConsoleFiles } from "../../gateway/console/console-files.ts";
import { GatewayKeyError } from "../../gateway-cluster/gateway-key.ts";
import { runGateway, type GatewaySettings } from "../../gateway-cluster/run-gateway.ts";
import { createProcessLog } from "../../observability/log.ts";
import { systemClock } from "../../time/clock.ts";
import { loadKubeConfig } from "../source/load-kube-config.ts";
import { CliError, EXIT_CODES, type ExitCode } from "../terminal/cli-error.ts";
import type { Streams } from "../terminal/streams.ts";

export interface ClusterFlags {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
}

const STREAM_ID_BYTES = 8;
const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** Settles when a signal has drained the gateway. A second signal ends it at once. */
export async function gateway(
  { kubeconfig, context }: ClusterFlags,
  settings: GatewaySettings,
  { env }: Streams,
): Promise<ExitCode> {
  const kubeConfig = loadKubeConfig({ file: kubeconfig, context });
  if (kubeConfig === undefined) {
    throw new CliError("No cluster is configured.", {
      cure: "Point KUBECONFIG or --kubeconfig at one, or run the gateway in a pod. On one machine, omnia up has a gateway.",
    });
  }
  const console = settings.hasConsole ? await findConsoleFiles() : undefined;
  if (settings.hasConsole && console === undefined) {
    throw new CliError("--console: the page is not there.", {
      cure: "It comes with the image and the package of npm. In a checkout, make build makes it.",
    });
  }
  const log = createProcessLog(env);
  const drain = new AbortController();
  const endNow = new AbortController();
  const onSignal = (): void => (drain.signal.aborted ? endNow : drain).abort();
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    await runGateway(
      {
        kubeConfig,
        settings,
        clock: systemClock,
        random: Math.random,
        log,
        version: packageJSON.version,
        streamId: randomBytes(STREAM_ID_BYTES).toString("hex"),
        env,
        console,
      },
      { signal: drain.signal, endNow: endNow.signal },
      (running) => process.send?.(running),
    );
    return EXIT_CODES.ok;
  } catch (error) {
    if (!(error instanceof GatewayKeyError)) throw error;
    throw new CliError(`--gateway-key-file: ${error.message}.`, {
      cure: "Name the file key.pem of Secret omnia-gateway-key, which the operator makes when it is started with --gateway.",
      cause: error,
    });
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}
