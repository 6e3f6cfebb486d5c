import type { AgentConfig } from "../agent-config/agent-config.ts";
import type { Clock } from "../time/clock.ts";
import { LATE, within } from "../time/within.ts";
import type { Log } from "../observability/log.ts";
import type { NotReadyReason } from "../observability/readiness-answer.ts";
import { READINESS_TIMEOUT_MS } from "./contracts/limits.ts";
import { ProviderKeyError } from "./runtime/providers/provider-key.ts";
import { type SessionStore, StoreUnavailableError } from "./sessions/session-store.ts";

/** What decides whether a turn could be served now. */
export interface ReadinessSources {
  readonly clock: Clock;
  readonly log: Log;
  readonly isDraining: () => boolean;
  readonly isListening: () => boolean;
  /** Answers a config, or a sentence on why there is none. */
  readonly config: () => AgentConfig | string;
  /** Answers why the store that the config asks for is not in use. */
  readonly storeProblem: () => string | undefined;
  readonly store: () => SessionStore | undefined;
  /** Rejects with a sentence for people when the handler could not serve a turn. */
  readonly handlerReady: (config: AgentConfig) => Promise<void>;
  /** Told of every answer. */
  readonly onJudged?: ((reasons: readonly NotReadyReason[]) => void) | undefined;
}

/** The reasons why no turn could be served. None when a turn could be served. */
export function createReadiness(
  sources: ReadinessSources,
): () => Promise<readonly NotReadyReason[]> {
  let current: Promise<readonly NotReadyReason[]> | undefined;
  let lastReasons = "";
  return () => {
    // Those who ask at the same time get the same answer.
    current ??= judge(sources)
      .then((reasons) => {
        const messages = reasons.map(({ message }) => message);
        const text = messages.join("; ");
        if (text !== lastReasons)
          sources.log.info({ reasons: messages }, text === "" ? "Ready" : "Not ready");
        lastReasons = text;
        sources.onJudged?.(reasons);
        return reasons;
      })
      .finally(() => {
        current = undefined;
      });
    return current;
  };
}

async function judge(sources: ReadinessSources): Promise<readonly NotReadyReason[]> {
  if (sources.isDraining()) return [{ message: "the agent is shutting down" }];
  const config = sources.config();
  if (typeof config === "string") {
    return [{ message: `there is no usable config: ${config}` }];
  }
  const ofFacade = sources.isListening()
    ? undefined
    : { message: "the facade does not listen yet" };
  const others = await Promise.all([judgeStore(sources), judgeHandler(sources, config)]);
  return [ofFacade, ...others].filter((verdict) => verdict !== undefined);
}

async function judgeStore(sources: ReadinessSources): Promise<NotReadyReason | undefined> {
  const about = "session-store";
  const problem = sources.storeProblem();
  if (problem !== undefined) return { about, message: problem };
  const store = sources.store();
  // It says nothing of the store yet.
  if (store === undefined) return { message: "the session store is being opened" };
  const silent = "the session store does not answer";
  try {
    const answer = await within(READINESS_TIMEOUT_MS, store.check(), sources.clock);
    return answer === LATE ? { about, message: silent } : undefined;
  } catch (error) {
    const why = error instanceof StoreUnavailableError ? error.problem : undefined;
    return { about, message: why === undefined ? silent : `${silent} as it should: ${why}` };
  }
}

async function judgeHandler(
  { clock, handlerReady }: ReadinessSources,
  config: AgentConfig,
): Promise<NotReadyReason | undefined> {
  const notReady = "the handler is not ready";
  try {
    const answer = await within(READINESS_TIMEOUT_MS, handlerReady(config), clock);
    return answer === LATE ? { message: notReady } : undefined;
  } catch (error) {
    const about = error instanceof ProviderKeyError ? "provider" : undefined;
    return { about, message: error instanceof Error ? error.message : notReady };
  }
}
