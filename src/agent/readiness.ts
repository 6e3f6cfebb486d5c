import type { AgentConfig } from "../agent-config/agent-config.ts";
import type { Clock } from "../time/clock.ts";
import { LATE, within } from "../time/within.ts";
import type { Log } from "../observability/log.ts";
import { READINESS_TIMEOUT_MS } from "./contracts/limits.ts";
import type { SessionStore } from "./sessions/session-store.ts";

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
}

/** The reasons why no turn could be served, in sentences for people that contain no secret. None when a turn could be served. */
export function createReadiness(sources: ReadinessSources): () => Promise<readonly string[]> {
  let current: Promise<readonly string[]> | undefined;
  let lastReasons = "";
  return () => {
    // Those who ask at the same time get the same answer.
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
  const silent = "the session store does not answer";
  try {
    const answer = await within(READINESS_TIMEOUT_MS, store.check(), sources.clock);
    return answer === LATE ? silent : undefined;
  } catch {
    return silent;
  }
}

async function judgeHandler(
  { clock, handlerReady }: ReadinessSources,
  config: AgentConfig,
): Promise<string | undefined> {
  const notReady = "the handler is not ready";
  try {
    const answer = await within(READINESS_TIMEOUT_MS, handlerReady(config), clock);
    return answer === LATE ? notReady : undefined;
  } catch (error) {
    return error instanceof Error ? error.message : notReady;
  }
}
