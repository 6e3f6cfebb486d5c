import type { ListReading } from "../server/read-list.ts";

export type ReadList = Extract<ListReading, { state: "read" }>;

/** What was read last of the list of a server. One that failed tells what was read before, too. */
export type KnownList =
  | ReadList
  | (Extract<ListReading, { state: "failed" }> & { readonly before: ReadList | undefined });
