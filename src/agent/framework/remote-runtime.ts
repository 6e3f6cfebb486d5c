/** A runtime that somebody else runs, at the address of `OMNIA_RUNTIME_URL`. */
import type { Clock } from "../../time/clock.ts";
import { probeRuntime } from "./probe-runtime.ts";
import type { RuntimeEndpoint } from "./runtime-endpoint.ts";

export interface RemoteRuntimeOptions {
  readonly url: URL;
  readonly healthPath: string | undefined;
  readonly clock: Pick<Clock, "setTimer">;
}

export function remoteRuntime({ url, healthPath, clock }: RemoteRuntimeOptions): RuntimeEndpoint {
  return {
    start: () => {},
    // Whether it answers shows when it is asked.
    whenReady: () => Promise.resolve(url),
    problem: () => probeRuntime({ base: url, healthPath }, clock),
    close: () => Promise.resolve(),
  };
}
