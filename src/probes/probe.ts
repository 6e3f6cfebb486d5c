/** Finds whether something listens behind a URL: a probe opens a connection, sends nothing, and closes it. */
import { connect } from "node:net";
import type { AddressPolicy } from "../network/address-verdict.ts";
import { AddressRefusedError, guardedLookup, isRefusedHost } from "../network/guarded-lookup.ts";
import { systemClock } from "../time/clock.ts";

const PROBE_TIMEOUT_MS = 1_500;

export interface ProbeResult {
  readonly reachable: boolean;
  /** Says why the tool is not reachable. */
  readonly message?: string;
  /** Whether the address rule forbids to connect. The message then names no address. */
  readonly refused?: boolean;
}

const REFUSED: ProbeResult = {
  reachable: false,
  refused: true,
  message: "its address is not allowed for tools",
};

const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  "http:": 80,
  "https:": 443,
  "grpc:": 80,
  "grpcs:": 443,
};

/** Connects only where the policy allows it, so that nobody learns from a status what listens in a network of others. */
export async function probe(
  url: string,
  policy: AddressPolicy,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const address = addressOf(url);
  if (address === undefined)
    return { reachable: false, message: "its URL has no host to connect to" };
  const { host, port } = address;
  if (isRefusedHost(host, policy)) return REFUSED;
  const failure = await new Promise<string | ProbeResult | undefined>((resolve) => {
    const socket = connect({ host, port, signal, lookup: guardedLookup(policy) });
    const end = (why?: string | ProbeResult): void => {
      timer.cancel();
      socket.destroy();
      resolve(why);
    };
    const timer = systemClock.setTimer(PROBE_TIMEOUT_MS, () => end("does not answer"));
    socket.once("connect", () => end());
    socket.on("error", (error) =>
      end(error instanceof AddressRefusedError ? REFUSED : describe(error)),
    );
  });
  if (typeof failure === "object") return failure;
  return failure === undefined
    ? { reachable: true }
    : { reachable: false, message: `${host}:${port} ${failure}` };
}

/** Reads the host and the port of `http://host:port/path`, and of the `host:port` that gRPC tools may be given as. */
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
  // When a name has several addresses, the first failure is reported for all of them.
  const { code } =
    error instanceof AggregateError ? (error.errors[0] as NodeJS.ErrnoException) : error;
  return FAILURES[code ?? ""] ?? `cannot be connected to (${code ?? "unknown"})`;
}
