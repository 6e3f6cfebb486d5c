/** Whether tools can be connected to: a probe opens a connection, sends nothing, and closes it. */
import { connect } from "node:net";
import type { Clock } from "../observability/clock.ts";
import { Wake } from "./wake.ts";

const PROBE_TIMEOUT_MS = 1_500;
/** A result is looked at again after this. */
const PROBE_INTERVAL_MS = 10_000;
const MAX_PROBES_AT_ONCE = 16;

export interface ProbeResult {
  reachable: boolean;
  /** Why not. */
  message?: string;
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  "http:": 80,
  "https:": 443,
  "grpc:": 80,
  "grpcs:": 443,
};

/** Results by URL. Only URLs that were asked for lately are probed again. */
export class ToolProbes {
  readonly #clock: Clock;
  readonly #onChange: () => void;
  readonly #results = new Map<string, ProbeResult>();
  #wanted: ReadonlySet<string> = new Set();
  readonly #wantedChanged = new Wake();

  constructor(options: { clock: Clock; onChange: () => void }) {
    this.#clock = options.clock;
    this.#onChange = options.onChange;
  }

  /** The results for these URLs. One that is new is probed first, so that a tool is not called unreachable by default. */
  async results(
    urls: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, ProbeResult>> {
    this.#wanted = urls;
    for (const url of this.#results.keys()) if (!urls.has(url)) this.#results.delete(url);
    const fresh = [...urls].filter((url) => !this.#results.has(url));
    if (fresh.length > 0) {
      await this.#probe(fresh, signal);
      this.#wantedChanged.raise();
    }
    return new Map(this.#results);
  }

  /** Probes again, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#wanted.size === 0) {
        await this.#wantedChanged.wait(signal);
        continue;
      }
      await this.#clock.sleep(PROBE_INTERVAL_MS, signal).catch(() => {});
      if (!signal.aborted && (await this.#probe([...this.#wanted], signal))) this.#onChange();
    }
  }

  async #probe(urls: readonly string[], signal: AbortSignal): Promise<boolean> {
    let changed = false;
    const waiting = urls.values();
    const work = async (): Promise<void> => {
      for (const url of waiting) {
        const result = await probe(url, signal);
        if (signal.aborted) return;
        const before = this.#results.get(url);
        changed ||= before?.reachable !== result.reachable || before.message !== result.message;
        this.#results.set(url, result);
      }
    };
    await Promise.all(Array.from({ length: Math.min(MAX_PROBES_AT_ONCE, urls.length) }, work));
    return changed;
  }
}

export async function probe(url: string, signal: AbortSignal): Promise<ProbeResult> {
  const address = addressOf(url);
  if (address === undefined)
    return { reachable: false, message: "its URL has no host to connect to" };
  const { host, port } = address;
  const failure = await new Promise<string | undefined>((resolve) => {
    const socket = connect({ host, port, signal });
    const end = (why?: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(why);
    };
    const timer = setTimeout(() => end("does not answer"), PROBE_TIMEOUT_MS);
    socket.once("connect", () => end());
    socket.on("error", (error) => end(describe(error)));
  });
  return failure === undefined
    ? { reachable: true }
    : { reachable: false, message: `${host}:${port} ${failure}` };
}

/** Of `http://host:port/path`, and of the `host:port` that gRPC tools may be given as. */
function addressOf(url: string): { host: string; port: number } | undefined {
  const parsed = URL.parse(url.includes("://") ? url : `grpc://${url}`);
  if (parsed === null || parsed.hostname === "") return undefined;
  const port = parsed.port === "" ? DEFAULT_PORTS[parsed.protocol] : Number(parsed.port);
  return port === undefined ? undefined : { host: parsed.hostname.replace(/^\[|\]$/g, ""), port };
}

const UNKNOWN_NAME = "cannot be found: its name has no address here";
const FAILURES: Readonly<Record<string, string>> = {
  ECONNREFUSED: "refuses connections: nothing listens there",
  ENOTFOUND: UNKNOWN_NAME,
  EAI_AGAIN: UNKNOWN_NAME,
  ETIMEDOUT: "does not answer",
};

function describe(error: NodeJS.ErrnoException): string {
  // Several addresses of one name: the first failure stands for all.
  const { code } =
    error instanceof AggregateError ? (error.errors[0] as NodeJS.ErrnoException) : error;
  return FAILURES[code ?? ""] ?? `cannot be connected to (${code ?? "unknown"})`;
}
