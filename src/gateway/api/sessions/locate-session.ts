/** Asks the replicas of an agent which one has a session, where each has its own in its memory. */
import { replicaFactsSchema } from "../../../http-api/replica-facts.ts";
import { API_PREFIX } from "../../../http-api/paths.ts";
import type { Clock } from "../../../time/clock.ts";
import type { Endpoint, LocateSession } from "../../choose-replica.ts";
import type { SignRequest } from "../../sign-request.ts";
import { askReplica } from "./ask-replica.ts";

/** A replica that is slower is not waited for: the client is then led to another one, which knows no such session. */
const TIMEOUT_MS = 1_000;
/** The first one is asked alone, since it mostly has it. Of more replicas than these the rest is not asked. */
const MAX_ASKED = 64;
const MAX_ASKED_AT_ONCE = 8;

export function sessionLocator({
  signRequest,
  clock,
}: {
  readonly signRequest: SignRequest;
  readonly clock: Pick<Clock, "setTimer">;
}): LocateSession {
  return async ({ namespace, name }, endpoints, sessionId, signal) => {
    const path = `${API_PREFIX}/replica?${new URLSearchParams({ session: sessionId }).toString()}`;
    const has = async (endpoint: Endpoint): Promise<boolean> => {
      try {
        const token = await signRequest({ agent: `${namespace}/${name}`, verbs: ["replica:get"] });
        const question = { method: "GET", path, token, timeoutMs: TIMEOUT_MS, signal } as const;
        const { status, text } = await askReplica(endpoint, question, clock);
        const facts = replicaFactsSchema.safeParse(status === 200 ? JSON.parse(text) : undefined);
        return facts.data?.hasSession === true;
      } catch (error) {
        if (signal.aborted) throw error;
        return false;
      }
    };
    let from = 0;
    while (from < Math.min(endpoints.length, MAX_ASKED)) {
      const asked = endpoints.slice(from, from === 0 ? 1 : from + MAX_ASKED_AT_ONCE);
      const answers = await Promise.all(asked.map(has));
      const found = asked.find((_, index) => answers[index]);
      if (found !== undefined) return found;
      from += asked.length;
    }
    return undefined;
  };
}
