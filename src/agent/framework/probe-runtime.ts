/** Asks a runtime whether it answers. */
import { get as httpGet } from "node:http";
import { get as httpsGet } from "node:https";
import { connect } from "node:net";
import type { Clock } from "../../time/clock.ts";
import { Deadline } from "../../time/deadline.ts";
import { RUNTIME_PROBE_TIMEOUT_MS } from "../contracts/limits.ts";

export interface ProbedRuntime {
  readonly base: URL;
  /** Undefined: a connection is enough. */
  readonly healthPath: string | undefined;
}

/** Answers what is wrong, as the end of a sentence, or undefined when the runtime answers. */
export async function probeRuntime(
  { base, healthPath }: ProbedRuntime,
  clock: Pick<Clock, "setTimer">,
): Promise<string | undefined> {
  using deadline = new Deadline({ ms: RUNTIME_PROBE_TIMEOUT_MS, clock });
  const at = healthPath === undefined ? base : new URL(healthPath, base);
  const place = `${at.protocol}//${at.host}${healthPath === undefined ? "" : at.pathname}`;
  try {
    if (healthPath === undefined) {
      await opens(base, deadline.signal);
      return undefined;
    }
    const status = await statusOf(at, deadline.signal);
    return status >= 200 && status < 300
      ? undefined
      : `the runtime answers with ${status} at ${place}`;
  } catch {
    return `the runtime does not answer at ${place}`;
  }
}

/** The port of an address, also where the address leaves it out. */
function portOf({ port, protocol }: URL): number {
  return port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
}

async function opens(base: URL, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // An address of IPv6 is in brackets in a URL.
  const host = base.hostname.replace(/^\[|\]$/g, "");
  const socket = connect({ host, port: portOf(base) });
  const onAbort = (): void => reject(signal.reason as Error);
  socket.once("connect", resolve).once("error", reject);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await promise;
  } finally {
    signal.removeEventListener("abort", onAbort);
    socket.on("error", () => {}).destroy();
  }
}

function statusOf(url: URL, signal: AbortSignal): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const get = url.protocol === "https:" ? httpsGet : httpGet;
  get(url, { signal, agent: false }, (response) => {
    resolve(response.statusCode ?? 0);
    response.on("error", () => {}).destroy();
  }).on("error", reject);
  return promise;
}
