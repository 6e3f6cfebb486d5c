/** `omnia console` with a cluster: leads a port of this machine to the gateway, and opens the page, until it is ended. */
import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { ApiError, ConnectionError } from "../../kube/client/api-error.ts";
import { createPortForwarder } from "../../kube/client/port-forward.ts";
import { createTransport } from "../../kube/client/transport.ts";
import { openBrowser } from "../../local/up/open-browser.ts";
import { styled } from "../../observability/terminal/line.ts";
import { printJSON, printLine } from "../../observability/terminal/writer.ts";
import { systemClock } from "../../time/clock.ts";
import { Deadline } from "../../time/deadline.ts";
import { createCliClient, findGatewayService } from "../gateway-api/find-gateway-service.ts";
import { configuredCluster, tokenOf } from "../gateway-api/with-cluster-gateway.ts";
import { CliError, EXIT_CODES, type ExitCode } from "../terminal/cli-error.ts";
import { Interrupts } from "../terminal/interrupts.ts";
import type { Streams } from "../terminal/streams.ts";
import { readToken } from "../terminal/token.ts";
import { checkConsole } from "./forward/check-console.ts";
import { startForwardedConsole } from "./forward/forwarded-console.ts";
import { GatewayPods } from "./forward/gateway-pods.ts";
import { SignIns } from "./forward/sign-ins.ts";
import type { ConsoleFlags } from "./console-flags.ts";

/** The first answer of the gateway has to come within this time. */
const CHECK_TIMEOUT_MS = 30_000;
/** Nobody guesses so many bytes. */
const SECRET_BYTES = 32;

export async function openClusterConsole(flags: ConsoleFlags, streams: Streams): Promise<ExitCode> {
  const { stdin, stdout, stderr, env } = streams;
  const given = await readToken(flags, streams);
  const { kubeConfig, server } = configuredCluster(flags.context);
  const transport = createTransport(kubeConfig);
  using interrupts = new Interrupts();
  try {
    const service = await findGatewayService(transport, server);
    const pods = new GatewayPods(
      createCliClient(transport),
      service,
      createPortForwarder(kubeConfig),
    );
    const { namespace } = service;
    await checkConsole(async () => {
      using deadline = new Deadline({
        ms: CHECK_TIMEOUT_MS,
        clock: systemClock,
        signal: interrupts.signal,
      });
      return await pods.connect(deadline.signal);
    }).catch((error: unknown) => {
      throw unreachable(error, namespace);
    });
    const token = async () => given ?? (await tokenOf(kubeConfig));
    const hasToken = (await token()) !== undefined;
    const signIns = new SignIns({
      nowMs: () => systemClock.monotonic(),
      newSecret: () => randomBytes(SECRET_BYTES).toString("base64url"),
    });
    await using forwarded = await startForwardedConsole({
      port: flags.port ?? 0,
      connect: (signal) => pods.connect(signal),
      token,
      signIns,
      onRefusedCode: () =>
        printLine(
          stderr,
          "A page came with a code that was used before, or is too old. Unless that was you, end this: others on this machine may have read it.",
        ),
    }).catch((error: unknown) => {
      throw portTaken(error, flags.port);
    });
    const address = (): string =>
      hasToken ? `${forwarded.url}/#code=${signIns.newCode()}` : forwarded.url;
    const url = address();
    if (flags.output === "json") printJSON(stdout, { url });
    else {
      printLine(stdout, styled("dim", `cluster ${kubeConfig.getCurrentContext()} at ${server}`));
      printLine(stdout, url);
      printLine(stdout);
      for (const line of explanation(hasToken, stdin.isTTY === true)) printLine(stdout, line);
    }
    if (flags.open && stdout.isTTY === true) openBrowser(url, env);
    if (hasToken && stdin.isTTY === true && flags.output === "text") {
      const lines = createInterface({ input: stdin });
      lines.on("line", () => printLine(stdout, address()));
      interrupts.signal.addEventListener("abort", () => lines.close(), { once: true });
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    interrupts.signal.addEventListener("abort", () => resolve(), { once: true });
    if (interrupts.signal.aborted) resolve();
    await promise;
    return EXIT_CODES.ok;
  } finally {
    transport.close();
  }
}

function explanation(hasToken: boolean, isTerminal: boolean): readonly string[] {
  const end = "Ctrl-C ends it.";
  if (!hasToken) {
    return [
      "The kubeconfig proves its user by no token, so the page asks for one:",
      "  kubectl create token SERVICEACCOUNT -n NAMESPACE",
      end,
    ];
  }
  const another = isTerminal ? " Enter gives another." : "";
  return [`The address counts for one page, and for five minutes.${another} ${end}`];
}

function unreachable(error: unknown, namespace: string): unknown {
  if (error instanceof ApiError && error.status === 403) {
    return new CliError(`The gateway cannot be reached: ${error.message}.`, {
      cure: `Ask for the rights to list pods, and to get and create pods/portforward, in namespace ${namespace}.`,
      cause: error,
    });
  }
  if (error instanceof ApiError || error instanceof ConnectionError) {
    return new CliError(`The gateway cannot be reached: ${error.message}.`, { cause: error });
  }
  return error;
}

function portTaken(error: unknown, port: number | undefined): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== "EADDRINUSE" && code !== "EACCES") return error;
  return new CliError(`Port ${port} of this machine cannot be had (${code}).`, {
    cure: "Leave out --port for a free one.",
    cause: error,
  });
}
