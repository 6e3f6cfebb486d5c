/** Runs the checks of the WebSocket protocol against an endpoint. */
import type { Check, CheckContext } from "./harness/check.ts";
import { CheckFailed } from "./harness/check-failed.ts";
import type { ConnectOptions, HandlerHint } from "./harness/check.ts";
import { approvalChecks } from "./checks/approvals.ts";
import { CONNECTING } from "./checks/connecting.ts";
import { MESSAGES } from "./checks/messages.ts";
import { REFUSED_FRAMES } from "./checks/refused-frames.ts";
import { RESUMING } from "./checks/resuming.ts";
import { RUNNING_TURNS } from "./checks/running-turns.ts";
import { ProbeConnection, RefusedError } from "./harness/probe-connection.ts";
import { judge, runChecks, type CheckResult, type SuiteOptions } from "./harness/run-checks.ts";
import { systemClock } from "../time/clock.ts";
import { Deadline } from "../time/deadline.ts";

export const CHECKS: readonly Check[] = [
  ...CONNECTING,
  ...MESSAGES,
  ...REFUSED_FRAMES,
  ...RUNNING_TURNS,
  ...RESUMING,
];

/** Those of an endpoint. */
export function checksOf({ approvalMessage }: Pick<Endpoint, "approvalMessage">): readonly Check[] {
  return approvalMessage === undefined ? CHECKS : [...CHECKS, ...approvalChecks(approvalMessage)];
}

export interface Endpoint {
  /** Its query holds agent and namespace, where the endpoint asks for them. */
  readonly url: URL;
  readonly token: string | undefined;
  /** Takes the token out of what the endpoint sends, so that no reason quotes it. */
  readonly hide?: ((text: string) => string) | undefined;
  readonly handler: HandlerHint;
  /** A message that makes the agent call a tool which waits for an approval. Without it nothing is checked of approvals. */
  readonly approvalMessage?: string | undefined;
}

/** Tells why no check could say anything about the endpoint, or settles with `undefined` when it can be reached. */
export async function whyUnreachable(
  endpoint: Endpoint,
  { timeoutMs, signal }: Pick<SuiteOptions, "timeoutMs" | "signal">,
): Promise<string | undefined> {
  const connections: ProbeConnection[] = [];
  using limit = new Deadline({ ms: timeoutMs, clock: systemClock, signal });
  const { reason } = await judge(async () => {
    await contextFor(endpoint, limit.signal, connections).connect();
  });
  for (const connection of connections) connection.close();
  signal.throwIfAborted();
  return reason;
}

/** Rejects with the reason of the signal, and never because of the endpoint. */
export function runSuite(endpoint: Endpoint, options: SuiteOptions): Promise<CheckResult[]> {
  return runChecks(
    checksOf(endpoint),
    async (check, signal) => {
      const connections: ProbeConnection[] = [];
      try {
        await check.run(contextFor(endpoint, signal, connections));
      } finally {
        for (const connection of connections) connection.close();
      }
    },
    options,
  );
}

function contextFor(
  endpoint: Endpoint,
  signal: AbortSignal,
  connections: ProbeConnection[],
): CheckContext {
  const open = async ({ query, path, token }: ConnectOptions): Promise<ProbeConnection> => {
    const url = new URL(endpoint.url);
    if (path !== undefined) url.pathname = path;
    for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value);
    const sent = token === undefined ? endpoint.token : (token ?? undefined);
    try {
      const connection = await ProbeConnection.open({
        url,
        token: sent,
        signal,
        hide: endpoint.hide,
      });
      connections.push(connection);
      return connection;
    } catch (error) {
      if (error instanceof RefusedError) throw error;
      if (signal.aborted) throw new CheckFailed("a connection did not come about in time");
      throw new CheckFailed(`it cannot be reached: ${(error as Error).message}`);
    }
  };
  return {
    handler: endpoint.handler,
    hasToken: endpoint.token !== undefined,
    path: endpoint.url.pathname,
    connect: (options = {}) => open(options),
    refusal: async (options = {}) => {
      try {
        await open(options);
        return undefined;
      } catch (error) {
        if (error instanceof RefusedError) return error.status;
        throw error;
      }
    },
  };
}
