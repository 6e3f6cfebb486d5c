/** A runtime in another framework, as the environment of the agent names it. It answers in place of a model provider. */
import { isIPv4 } from "node:net";
import {
  readRuntimeSettings,
  type RuntimeOrigin,
  type RuntimeProtocol,
} from "../../agent-config/runtime-settings.ts";
import { ChildRuntime, type ChildRuntimeOptions } from "./child-runtime.ts";
import { remoteRuntime } from "./remote-runtime.ts";
import { RuntimeUnavailableError, type RuntimeEndpoint } from "./runtime-endpoint.ts";

export interface Framework {
  readonly protocol: RuntimeProtocol;
  /** Where requests go. Undefined: the path of the endpoint. */
  readonly path: string | undefined;
  readonly endpoint: RuntimeEndpoint;
  /** Whether it runs on this machine, or in this pod, so that it reaches the loopback. */
  readonly isLocal: boolean;
}

export type FrameworkOptions = Omit<ChildRuntimeOptions, "words" | "healthPath">;

/** The file that hosts a module, in the sources and in the bundle. */
const MODULE_HOST = import.meta.url.endsWith(".ts") ? "./module-host.ts" : "./module-host.js";

/** Undefined where the environment names none. One that is named wrongly is a runtime that never answers, and says why. */
export function frameworkOf(options: FrameworkOptions): Framework | undefined {
  const reading = readRuntimeSettings(options.env);
  switch (reading.status) {
    case "none":
      return undefined;
    case "unusable":
      return {
        protocol: "ag-ui",
        path: undefined,
        endpoint: neverReady(reading.problem),
        isLocal: false,
      };
    case "read": {
      const { origin, protocol, path, healthPath } = reading.settings;
      const isLocal = origin.type !== "url" || isLoopback(origin.url);
      return { protocol, path, endpoint: endpointOf(origin, healthPath, options), isLocal };
    }
  }
}

function isLoopback({ hostname }: URL): boolean {
  const isAddress = isIPv4(hostname) && hostname.startsWith("127.");
  return hostname === "localhost" || hostname === "[::1]" || isAddress;
}

function endpointOf(
  origin: RuntimeOrigin,
  healthPath: string | undefined,
  options: FrameworkOptions,
): RuntimeEndpoint {
  switch (origin.type) {
    case "url":
      return remoteRuntime({ url: origin.url, healthPath, clock: options.clock });
    case "command":
      return new ChildRuntime({ ...options, healthPath, words: origin.words });
    case "module": {
      const host = new URL(MODULE_HOST, import.meta.url).pathname;
      const words = [process.execPath, decodeURIComponent(host), origin.module] as const;
      return new ChildRuntime({ ...options, healthPath, words });
    }
  }
}

function neverReady(problem: string): RuntimeEndpoint {
  return {
    start: () => {},
    whenReady: () => Promise.reject(new RuntimeUnavailableError(problem)),
    problem: () => Promise.resolve(problem),
    close: () => Promise.resolve(),
  };
}
