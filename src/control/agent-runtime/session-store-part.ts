import type { AgentRuntimeSpec } from "../../api/agent-runtime.ts";
import { parseDuration } from "../../api/fields/duration.ts";
import type { AgentConfig } from "../../agent-config/agent-config.ts";
import { RUNTIME_PROTOCOL } from "../../api/runtime-variables.ts";
import type { RuntimeProtocol } from "../../agent-config/runtime-settings.ts";
import {
  type AgentFacts,
  type AgentPart,
  previousFiles,
  SESSION_STORE_FOLDER,
} from "./agent-facts.ts";
import { holds } from "../condition.ts";
import { describeSecretKey, judgeSecretKey } from "./judge-secret-key.ts";

/**
 * The Secret may hold under this key the certificate authority of a server that the system does not trust. Secrets of type
 * kubernetes.io/tls use the same key.
 */
const CA_KEY = "ca.crt";

type SessionStorePart = AgentPart<"SessionStoreReady", AgentConfig["session"]>;

/** Finds whether the address of the session store is there. The readiness of an agent says whether the store answers. */
export function sessionStorePart(facts: AgentFacts): SessionStorePart {
  const part = storePart(facts);
  const { finding } = part;
  if (!hasOwnMemory(facts) || !holds("AgentRuntime", finding)) return part;
  const message = `${finding.message}. ${OWN_MEMORY}`;
  return { ...part, finding: { ...finding, message } };
}

const OWN_MEMORY =
  "The runtime speaks omnia.runtime.v1 and keeps conversations in a memory of its own, so no other replica takes over a turn whose replica ends";

/** Whether the runtime is told nothing of a conversation but its newest message. */
function hasOwnMemory({ agentRuntime, runtime }: AgentFacts): boolean {
  const protocol = agentRuntime.spec.env?.find(({ name }) => name === RUNTIME_PROTOCOL)?.value;
  return runtime !== undefined && protocol === ("omnia.runtime.v1" satisfies RuntimeProtocol);
}

/** A spec is the same in many passes. */
const knownTtls = new WeakMap<AgentRuntimeSpec["session"], number>();

function ttlOf(session: AgentRuntimeSpec["session"]): number {
  const ttlMs = knownTtls.get(session) ?? Math.max(1, Math.round(parseDuration(session.ttl)));
  knownTtls.set(session, ttlMs);
  return ttlMs;
}

function storePart({ agentRuntime, runtime, references, previous }: AgentFacts): SessionStorePart {
  const type = "SessionStoreReady";
  const { session } = agentRuntime.spec;
  const { storeRef } = session;
  const ttlMs = ttlOf(session);
  if (session.type === "memory" || storeRef === undefined) {
    const message = "Sessions are kept in the memory of each replica, and end with it";
    return {
      finding: { type, reason: "NotNeeded", message },
      result: { value: { type: "memory", ttlMs }, secretFiles: [] },
    };
  }
  const reference = references.sessionStoreSecret;
  const storeURLFile = `${SESSION_STORE_FOLDER}/${storeRef.key}`;
  const storeCAFile = `${SESSION_STORE_FOLDER}/${CA_KEY}`;
  const { name: secretName, key } = storeRef;
  const result: SessionStorePart["result"] = {
    value: { type: "redis", ttlMs, storeURLFile, storeCAFile },
    secretFiles: [
      { path: storeURLFile, secretName, key },
      { path: storeCAFile, secretName, key: CA_KEY, optional: true },
    ],
  };
  const source = describeSecretKey(storeRef, reference);
  const problem =
    judgeSecretKey(storeRef, reference) ??
    (reference?.urlProblem === undefined
      ? undefined
      : {
          reason: "InvalidURL" as const,
          message: `The URL of the session store, from ${source}, cannot be used: ${reference.urlProblem}. Write it like redis://:password@host:6379/0`,
        });
  if (problem === undefined) {
    const message = `The URL of the session store comes from ${source}`;
    return { finding: { type, reason: "Resolved", message }, result };
  }
  const kept = previous.config?.session;
  const files = previousFiles(previous, SESSION_STORE_FOLDER);
  if (kept !== undefined && (kept.type === "memory" || files !== undefined)) {
    return {
      finding: { type, ...problem },
      result: { value: { ...kept, ttlMs }, secretFiles: files ?? [] },
    };
  }
  // An agent whose handler runs no model starts without its store. Its readiness says what is missing.
  const starts = runtime === undefined || kept !== undefined;
  return { finding: { type, ...problem }, result: starts ? result : undefined };
}
