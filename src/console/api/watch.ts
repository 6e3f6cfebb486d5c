/** Follows the stream of changes, and writes what it tells into the cache that the pages read. */
import type { QueryClient } from "@tanstack/react-query";
import type { WatchEvent } from "../../http-api/watch-events.ts";
import { exponentialBackoff, jittered } from "../../time/backoff.ts";
import type { Clock } from "../../time/clock.ts";
import { ApiFailure } from "./api-failure.ts";
import type { LiveStore } from "./live-state.ts";
import { DETAIL_KEYS, LIST_KEYS } from "./queries.ts";
import { applyWatchEvent, type ResourceLists } from "./resource-lists.ts";
import { untilTokenChanges } from "./token.ts";
import { watchStream } from "./watch-stream.ts";

const BACKOFF = { firstMs: 500, lastMs: 15_000 };

export interface WatchOptions {
  readonly queryClient: QueryClient;
  readonly live: LiveStore;
  readonly clock: Clock;
  readonly random: () => number;
  /** While nobody sees the page there is no stream. */
  readonly visibility: Visibility;
}

export interface Visibility {
  readonly isVisible: boolean;
  /** Calls back at each change until `signal` aborts. */
  follow(listener: () => void, signal: AbortSignal): void;
}

/** Runs until `signal` aborts. */
export async function watchResources(
  { queryClient, live, clock, random, visibility }: WatchOptions,
  signal: AbortSignal,
): Promise<void> {
  const delay = jittered(exponentialBackoff(BACKOFF), random);
  let failures = 0;
  let cursor: string | undefined;
  let lostAt: number | undefined;
  while (!signal.aborted) {
    await untilVisible(visibility, signal);
    const hidden = new AbortController();
    const over = AbortSignal.any([signal, hidden.signal]);
    visibility.follow(() => {
      if (!visibility.isVisible) hidden.abort();
    }, over);
    try {
      for await (const watched of watchStream(cursor, clock, over)) {
        failures = 0;
        lostAt = undefined;
        cursor = watched.cursor ?? cursor;
        takeEvent(queryClient, watched.event);
        if (live.state.status !== "live") live.set({ status: "live" });
      }
    } catch (error) {
      if (over.aborted) continue;
      if (error instanceof ApiFailure && error.code === "Unauthorized") {
        live.set({ status: "signed-out", message: error.message, cure: error.cure });
        await untilTokenChanges(signal);
        live.set({ status: "connecting" });
        void queryClient.invalidateQueries();
        continue;
      }
      // What else went wrong is told by the state: it is tried again.
    } finally {
      hidden.abort();
    }
    if (live.state.status === "live") lostAt = clock.now();
    failures += 1;
    const wait = delay(failures);
    live.set({ status: "reconnecting", retryAt: clock.now() + wait, lostAt });
    await clock.sleep(wait, signal).catch(() => {});
  }
}

async function untilVisible(visibility: Visibility, signal: AbortSignal): Promise<void> {
  if (visibility.isVisible || signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const seen = new AbortController();
  visibility.follow(
    () => {
      if (visibility.isVisible) resolve();
    },
    AbortSignal.any([signal, seen.signal]),
  );
  signal.addEventListener("abort", () => resolve(), { signal: seen.signal });
  await promise;
  seen.abort();
}

function takeEvent(queryClient: QueryClient, event: WatchEvent): void {
  const lists: ResourceLists = {
    agents: queryClient.getQueryData(LIST_KEYS.AgentRuntime) ?? [],
    packs: queryClient.getQueryData(LIST_KEYS.PromptPack) ?? [],
    registries: queryClient.getQueryData(LIST_KEYS.ToolRegistry) ?? [],
  };
  const next = applyWatchEvent(lists, event);
  // A snapshot answers for lists that are empty too.
  const isAll = event.type === "snapshot";
  if (isAll || next.agents !== lists.agents)
    queryClient.setQueryData(LIST_KEYS.AgentRuntime, next.agents);
  if (isAll || next.packs !== lists.packs)
    queryClient.setQueryData(LIST_KEYS.PromptPack, next.packs);
  if (isAll || next.registries !== lists.registries)
    queryClient.setQueryData(LIST_KEYS.ToolRegistry, next.registries);
  for (const queryKey of outdatedDetails(event))
    void queryClient.invalidateQueries({ queryKey }, { cancelRefetch: false });
}

/** The keys of the details that say something else now. */
function outdatedDetails(event: WatchEvent): readonly (readonly string[])[] {
  switch (event.type) {
    case "snapshot":
      return Object.values(DETAIL_KEYS).map((key) => [key]);
    case "changed": {
      const { kind, item } = event.change;
      return [[DETAIL_KEYS[kind], item.namespace, item.name]];
    }
    case "removed":
    case "event": {
      const { kind, namespace, name } = event.type === "removed" ? event.removed : event.about;
      return [[DETAIL_KEYS[kind], namespace, name]];
    }
    case "reset":
      return [];
  }
}
