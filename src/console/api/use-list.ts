import { useQuery } from "@tanstack/react-query";
import { useLive, type LiveState } from "./live-state.ts";
import type { ListQuery } from "./queries.ts";

/** While there is no stream of changes the list is asked for again so often. */
const POLL_MS = 10_000;

export interface List<Item> {
  /** Undefined until something is known. */
  readonly items: readonly Item[] | undefined;
  readonly error: Error | null;
  readonly live: LiveState;
}

/** A list that the stream of changes keeps. Only where there is no stream it is asked for. */
export function useList<Item>(query: ListQuery<Item>): List<Item> {
  const live = useLive();
  const { data, error } = useQuery({
    queryKey: query.queryKey,
    queryFn: query.queryFn,
    enabled: live.status === "reconnecting",
    refetchInterval: POLL_MS,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return { items: data, error, live };
}
