/** `omnia up`: adds signals and the gateway, and turns its errors into errors of the command line. */
import { randomBytes } from "node:crypto";
import packageJSON from "../../../package.json" with { type: "json" };
import { createApi } from "../../gateway/api/create-api.ts";
import { sessionLocator } from "../../gateway/api/sessions/locate-session.ts";
import { LOCAL_CALLERS } from "../../gateway/caller.ts";
import { findConsoleFiles } from "../../gateway/console/console-files.ts";
import { createGateway } from "../../gateway/gateway.ts";
import { loadGatewayTracer } from "../../gateway/gateway-tracer.ts";
import type { Tracer } from "../../observability/tracing/tracer.ts";
import type { CrossNamespaceReferences } from "../../control/namespace-grant.ts";
import { UpError } from "../../local/state/up-error.ts";
import { runUp } from "../../local/up/up.ts";
import { systemClock } from "../../time/clock.ts";
import { CliError, EXIT_CODES, type ExitCode } from "../terminal/cli-error.ts";
import { endByForce } from "../terminal/end-by-force.ts";
import { programName } from "../terminal/program-name.ts";
import type { Streams } from "../terminal/streams.ts";

const TOKEN_BYTES = 24;
const STREAM_ID_BYTES = 8;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export interface UpFlags {
  readonly filename?: string[] | undefined;
  readonly port: number;
  readonly host: string;
  readonly allowedHost?: readonly string[] | undefined;
  readonly state?: string | undefined;
  readonly open: boolean;
  readonly crossNamespaceReferences: CrossNamespaceReferences;
}

/** Settles when everything has ended. The first signal drains the agents, and the second ends them at once. */
export async function up(flags: UpFlags, streams: Streams): Promise<ExitCode> {
  const drain = new AbortController();
  const endNow = new AbortController();
  const onSignal = (): void => (drain.signal.aborted ? endNow : drain).abort();
  for (const signal of SIGNALS) process.on(signal, onSignal);
  const entry = process.argv[1] ?? "";
  const console = await findConsoleFiles();
  let tracing: Promise<Tracer | undefined> | undefined;
  try {
    const { isHanging } = await runUp({
      files: flags.filename ?? [],
      port: flags.port,
      host: flags.host,
      allowedHosts: flags.allowedHost ?? [],
      token: randomBytes(TOKEN_BYTES).toString("base64url"),
      stateFolder: flags.state,
      open: flags.open,
      crossNamespaceReferences: flags.crossNamespaceReferences,
      out: streams.stdout,
      signal: drain.signal,
      endNow: endNow.signal,
      entry,
      program: programName(entry, process.cwd()),
      env: streams.env,
      clock: systemClock,
      random: Math.random,
      createGateway: ({ resources, ...options }) => {
        tracing = loadGatewayTracer({
          env: streams.env,
          log: options.log,
          clock: systemClock,
          version: packageJSON.version,
        });
        let tracer: Tracer | undefined;
        void tracing.then((loaded) => (tracer = loaded));
        return createGateway({
          ...options,
          console,
          tracer: () => tracer,
          locateSession: sessionLocator({
            signRequest: (request) => options.signer.sign(request),
            clock: systemClock,
          }),
          api: createApi({
            source: resources,
            callers: LOCAL_CALLERS,
            version: packageJSON.version,
            streamId: randomBytes(STREAM_ID_BYTES).toString("hex"),
            signRequest: (request) => options.signer.sign(request),
            clock: systemClock,
            log: options.log,
          }),
        });
      },
    });
    if (isHanging) await endByForce(streams);
    return EXIT_CODES.ok;
  } catch (error) {
    if (error instanceof UpError) {
      throw new CliError(error.message, { cure: error.cure, cause: error });
    }
    throw error;
  } finally {
    await (await tracing)?.close();
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}
