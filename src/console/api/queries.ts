/** What is asked of the API, and under which keys the answers are kept. The stream of changes writes into the lists (watch.ts). */
import { queryOptions } from "@tanstack/react-query";
import type { AgentDetail, AgentView } from "../../http-api/agent-views.ts";
import type { CallerView } from "../../http-api/caller-view.ts";
import type { PackDetail, PackDocument, PackView } from "../../http-api/pack-views.ts";
import type { Page } from "../../http-api/page.ts";
import { MAX_PAGE_SIZE } from "../../http-api/paths.ts";
import type { ToolRegistryDetail, ToolRegistryView } from "../../http-api/tool-views.ts";
import { apiPath, readApi } from "./api-client.ts";

export const LIST_KEYS = {
  AgentRuntime: ["agents"],
  PromptPack: ["packs"],
  ToolRegistry: ["toolregistries"],
} as const;

/** What the keys of one resource begin with; its namespace and its name follow. */
export const DETAIL_KEYS = {
  AgentRuntime: "agent",
  PromptPack: "pack",
  ToolRegistry: "toolregistry",
} as const;

/** A list is asked for in so many parts at most. What is beyond them is found by the API's own search. */
const MAX_PAGES = 20;

/** A list of which the stream of changes keeps the items. */
export interface ListQuery<Item> {
  readonly queryKey: readonly string[];
  readonly queryFn: (context: { readonly signal: AbortSignal }) => Promise<readonly Item[]>;
}

export const callerQuery = queryOptions({
  queryKey: ["me"],
  queryFn: ({ signal }) => readApi<CallerView>("/me", signal),
  staleTime: 60_000,
});

export const agentsQuery: ListQuery<AgentView> = {
  queryKey: LIST_KEYS.AgentRuntime,
  queryFn: ({ signal }) => readAll<AgentView>("/agents", signal),
};

export const packsQuery: ListQuery<PackView> = {
  queryKey: LIST_KEYS.PromptPack,
  queryFn: ({ signal }) => readAll<PackView>("/packs", signal),
};

export const registriesQuery: ListQuery<ToolRegistryView> = {
  queryKey: LIST_KEYS.ToolRegistry,
  queryFn: ({ signal }) => readAll<ToolRegistryView>("/toolregistries", signal),
};

export function agentQuery(namespace: string, name: string) {
  return queryOptions({
    queryKey: [DETAIL_KEYS.AgentRuntime, namespace, name],
    queryFn: ({ signal }) => readApi<AgentDetail>(apiPath("agents", namespace, name), signal),
  });
}

export function packQuery(namespace: string, name: string) {
  return queryOptions({
    queryKey: [DETAIL_KEYS.PromptPack, namespace, name],
    queryFn: ({ signal }) => readApi<PackDetail>(apiPath("packs", namespace, name), signal),
  });
}

/** The document of a version never changes. */
export function packDocumentQuery(namespace: string, name: string, hash: string) {
  return queryOptions({
    queryKey: ["pack-document", namespace, name, hash],
    queryFn: ({ signal }) =>
      readApi<PackDocument>(apiPath("packs", namespace, name, "versions", hash), signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function registryQuery(namespace: string, name: string) {
  return queryOptions({
    queryKey: [DETAIL_KEYS.ToolRegistry, namespace, name],
    queryFn: ({ signal }) =>
      readApi<ToolRegistryDetail>(apiPath("toolregistries", namespace, name), signal),
  });
}

async function readAll<Item>(path: string, signal: AbortSignal): Promise<Item[]> {
  const items: Item[] = [];
  let after: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const query = new URLSearchParams({ limit: String(MAX_PAGE_SIZE) });
    if (after !== undefined) query.set("after", after);
    const answer = await readApi<Page<Item>>(`${path}?${query.toString()}`, signal);
    items.push(...answer.items);
    after = answer.next;
    if (after === undefined) break;
  }
  return items;
}
