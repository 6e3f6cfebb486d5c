/** What is asked of the API about sessions. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type { Page } from "../../http-api/page.ts";
import { DEFAULT_PAGE_SIZE } from "../../http-api/paths.ts";
import type { ForkedSession, SessionTimeline, SessionView } from "../../http-api/session-views.ts";
import { apiPath, readApi, writeApi } from "../api/api-client.ts";
import { continued, mayChangeFrom } from "./continued-timeline.ts";

export interface SessionFilter {
  readonly state?: string | undefined;
  readonly version?: string | undefined;
}

export function sessionsQuery(namespace: string, name: string, { state, version }: SessionFilter) {
  return infiniteQueryOptions({
    queryKey: ["sessions", namespace, name, state, version],
    queryFn: ({ signal, pageParam }) => {
      const query = new URLSearchParams({ limit: String(DEFAULT_PAGE_SIZE) });
      if (pageParam !== "") query.set("after", pageParam);
      if (state !== undefined) query.set("state", state);
      if (version !== undefined) query.set("version", version);
      const path = `${apiPath("agents", namespace, name, "sessions")}?${query.toString()}`;
      return readApi<Page<SessionView>>(path, signal);
    },
    initialPageParam: "",
    getNextPageParam: ({ next }) => next,
  });
}

export function timelineQuery(namespace: string, name: string, session: string) {
  const queryKey = ["session", namespace, name, session];
  return queryOptions({
    queryKey,
    // What is known stays: only what may have changed since is asked for.
    queryFn: async ({ client, signal }) => {
      const known = client.getQueryData<SessionTimeline>(queryKey);
      const since = known === undefined ? undefined : mayChangeFrom(known);
      const newer = await readTimeline(namespace, name, session, { since, signal });
      return known === undefined ? newer : continued(known, newer);
    },
  });
}

/** `since`: the turn with which the timeline is to begin. */
export function readTimeline(
  namespace: string,
  name: string,
  session: string,
  { since, signal }: { since?: string | undefined; signal: AbortSignal },
): Promise<SessionTimeline> {
  const query = since === undefined ? "" : `?since=${encodeURIComponent(since)}`;
  return readApi(`${apiPath("agents", namespace, name, "sessions", session)}${query}`, signal);
}

export function deleteSession(namespace: string, name: string, session: string): Promise<void> {
  return writeApi(apiPath("agents", namespace, name, "sessions", session), { method: "DELETE" });
}

/** Makes a session of what was said up to the end of the turn; without one, of all that was said. */
export async function forkSession(
  namespace: string,
  name: string,
  session: string,
  afterTurn: string | undefined,
): Promise<string> {
  const path = apiPath("agents", namespace, name, "sessions", session, "fork");
  const body = afterTurn === undefined ? {} : { afterTurn };
  const { id } = await writeApi<ForkedSession>(path, { method: "POST", body });
  return id;
}
