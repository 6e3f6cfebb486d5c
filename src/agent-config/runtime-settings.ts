/** What the environment of an agent says of a runtime in another framework. The agent reads it once, when it starts. */
import {
  RUNTIME_COMMAND,
  RUNTIME_HEALTH_PATH,
  RUNTIME_MODULE,
  RUNTIME_PATH,
  RUNTIME_PROTOCOL,
  RUNTIME_PROTOCOLS,
  RUNTIME_SOURCES,
  RUNTIME_URL,
} from "../api/runtime-variables.ts";
import { splitCommand } from "./split-command.ts";

export type RuntimeProtocol = (typeof RUNTIME_PROTOCOLS)[number];

export type RuntimeOrigin =
  /** A child of the agent. It listens at the port that its variable PORT says. */
  | { readonly type: "command"; readonly words: readonly [string, ...string[]] }
  /** A JavaScript module, hosted by a child of the agent. */
  | { readonly type: "module"; readonly module: string }
  /** A server that somebody else runs. */
  | { readonly type: "url"; readonly url: URL };

export interface RuntimeSettings {
  readonly origin: RuntimeOrigin;
  readonly protocol: RuntimeProtocol;
  /** Where requests go. Undefined: the path of the URL. */
  readonly path: string | undefined;
  /** What is asked whether the runtime is ready. Undefined: a connection to its port is enough. */
  readonly healthPath: string | undefined;
}

export type RuntimeSettingsReading =
  | { readonly status: "none" }
  | {
      readonly status: "unusable";
      /** The variable that is wrong. */
      readonly variable: string;
      readonly problem: string;
    }
  | { readonly status: "read"; readonly settings: RuntimeSettings };

/** An empty variable counts as one that is not set. The problem is a sentence for people, and quotes no value. */
export function readRuntimeSettings(
  env: Readonly<Record<string, string | undefined>>,
): RuntimeSettingsReading {
  const set = RUNTIME_SOURCES.filter((name) => (env[name] ?? "") !== "");
  const [source, another] = set;
  if (source === undefined) return { status: "none" };
  if (another !== undefined) {
    return unusable(another, `${set.join(" and ")} each name a runtime; set one of them`);
  }
  const origin = originOf(source, env[source] ?? "");
  if ("problem" in origin) return unusable(source, `${source}: ${origin.problem}`);

  const wanted = env[RUNTIME_PROTOCOL] || RUNTIME_PROTOCOLS[0];
  const protocol = RUNTIME_PROTOCOLS.find((one) => one === wanted);
  if (protocol === undefined) {
    const problem = `${RUNTIME_PROTOCOL} must be one of ${RUNTIME_PROTOCOLS.join(", ")}`;
    return unusable(RUNTIME_PROTOCOL, problem);
  }
  const path = env[RUNTIME_PATH] || undefined;
  const healthPath = env[RUNTIME_HEALTH_PATH] || undefined;
  for (const [name, value] of [
    [RUNTIME_PATH, path],
    [RUNTIME_HEALTH_PATH, healthPath],
  ] as const) {
    if (value !== undefined && !isPath(value)) {
      return unusable(name, `${name} must be a path that begins with one "/"`);
    }
  }
  return { status: "read", settings: { origin, protocol, path, healthPath } };
}

function unusable(variable: string, problem: string): RuntimeSettingsReading {
  return { status: "unusable", variable, problem };
}

function originOf(
  source: (typeof RUNTIME_SOURCES)[number],
  value: string,
): RuntimeOrigin | { problem: string } {
  switch (source) {
    case RUNTIME_COMMAND: {
      const split = splitCommand(value);
      return split.ok ? { type: "command", words: split.words } : { problem: split.problem };
    }
    case RUNTIME_MODULE: {
      const module = value.trim();
      return module === "" ? { problem: "it names no module" } : { type: "module", module };
    }
    case RUNTIME_URL: {
      const url = URL.parse(value.trim());
      if (url?.protocol !== "http:" && url?.protocol !== "https:") {
        return { problem: "it must be a URL that begins with http:// or https://" };
      }
      if (url.username !== "" || url.password !== "") {
        return { problem: "it holds a user or a password, which are not sent; remove them" };
      }
      return { type: "url", url };
    }
  }
}

/** A path of two slashes would name another host. */
function isPath(value: string): boolean {
  return /^\/(?![/\\])[^\s\\]*$/.test(value) && URL.canParse(value, "http://127.0.0.1");
}
