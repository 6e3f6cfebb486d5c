import type { AgentConfig } from "../agent-config/agent-config.ts";
import type { Clock } from "../time/clock.ts";
import type { Log } from "../observability/log.ts";
import { READINESS_TIMEOUT_MS } from "./contracts/limits.ts";
import type { SessionStore } from "./sessions/session-store.ts";

/** What readiness is judged by: whether a turn could be served now. */
export interface ReadinessSources {
  readonly clock: Clock;
  readonly log: Log;
  readonly isDraining: () => boolean;
  readonly isListening: () => boolean;
  /** A config, or a sentence on why there is none. */
  readonly config: () => AgentConfig | string;
  /** Why the store that the config asks for is not in use. */
  readonly storeProblem: () => string | undefined;
  readonly store: () => SessionStore | undefined;
  /** Rejects with a sentence for people. */
  readonly handlerReady: (config: AgentConfig) => Promise<void>;
}

/** The reasons against, in sentences for people that hold no secret; none when a turn could be served. */
export function createReadiness(sources: ReadinessSources): () => Promise<readonly string[]> {
  let current: Promise<readonly string[]> | undefined;
  let lastReasons = "";
  return () => {
    // Several who ask at a time get one answer.
    current ??= judge(sources)
      .then((reasons) => {
        const text = reasons.join("; ");
        if (text !== lastReasons)
          sources.log.info({ reasons }, text === "" ? "Ready" : "Not ready");
        lastReasons = text;
        return reasons;
      })
      .finally(() => {
        current = undefined;
      });
    return current;
  };
}

async function judge(sources: ReadinessSources): Promise<readonly string[]> {
  if (sources.isDraining()) return ["the agent is shutting down"];
  const config = sources.config();
  if (typeof config === "string") return [`there is no usable config: ${config}`];
  const ofFacade = sources.isListening() ? undefined : "the facade does not listen yet";
  const others = await Promise.all([judgeStore(sources), judgeHandler(sources, config)]);
  return [ofFacade, ...others].filter((verdict) => verdict !== undefined);
}

async function judgeStore(sources: ReadinessSources): Promise<string | undefined> {
  const problem = sources.storeProblem();
  if (problem !== undefined) return problem;
  const store = sources.store();
  if (store === undefined) return "the session store is being opened";
  const answered = await within(sources.clock, store.check());
  return answered.ok ? undefined : "the session store does not answer";
}

async function judgeHandler(
  sources: ReadinessSources,
  config: AgentConfig,
): Promise<string | undefined> {
  const answered = await within(sources.clock, sources.handlerReady(config));
  if (answered.ok) return undefined;
  return answered.error instanceof Error ? answered.error.message : "the handler is not ready";
}

/** Settles with what became of the work, at the latest after READINESS_TIMEOUT_MS. */
async function within(
  clock: Clock,
  work: Promise<void>,
): Promise<{ ok: true } | { ok: false; error: unknown }> {
  const done = new AbortController();
  const timeout = clock
    .sleep(READINESS_TIMEOUT_MS, done.signal)
    .then(() => ({ ok: false as const, error: undefined }))
    .catch(() => ({ ok: true as const }));
  const outcome = work.then(
    () => ({ ok: true as const }),
    (error: unknown) => ({ ok: false as const, error }),
  );
  const result = await Promise.race([outcome, timeout]);
  done.abort();
  return result;
}
