import type { Log } from "../../observability/log.ts";
import type { Clock } from "../../time/clock.ts";
import { Deadline } from "../../time/deadline.ts";
import { untilAborted } from "../../time/until-aborted.ts";
import { within } from "../../time/within.ts";
import {
  MAX_LISTED_TOOLS,
  MAX_MCP_LIST_MS,
  MAX_MCP_LIST_PAGES,
  MCP_LIST_AGE_MS,
  MCP_LIST_REST_MS,
  MCP_LIST_WAIT_MS,
} from "../server/limits.ts";
import type { ListReading } from "../server/read-list.ts";
import type { ListedTool } from "../server/tool-server.ts";
import type { McpClient } from "./mcp-client.ts";
import type { McpConnection } from "./mcp-connection.ts";

export interface McpToolListOptions {
  readonly registryName: string;
  /** The time for connecting, which comes on top of that for reading. */
  readonly connectMs: number;
  readonly clock: Clock;
  readonly log: Log | undefined;
  /** What a failure is called, in words that name no address. */
  readonly describe: (error: unknown) => string;
}

/** What is known of the tools of a server. It is read when a turn needs it, and again when it may have changed. */
export class McpToolList {
  readonly #options: McpToolListOptions;
  #tools: readonly ListedTool[] | undefined;
  #unusable = new Set<string>();
  #readAt = 0;
  #isStale = true;
  #failedAt: number | undefined;
  #reading: Promise<ListReading> | undefined;

  constructor(options: McpToolListOptions) {
    this.#options = options;
  }

  find(name: string): ListedTool | undefined {
    return this.#tools?.find((tool) => tool.name === name);
  }

  /** The server says that its tools have changed, or a call shows it. */
  changed(): void {
    this.#isStale = true;
  }

  /** Tools of the list that is being read cannot be offered. */
  leftOut(names: readonly string[]): void {
    for (const name of names) this.#unusable.add(name);
  }

  /** The list for a turn, which waits for it a short while. Rejects only when the signal is aborted. */
  async known(connection: McpConnection, signal: AbortSignal): Promise<readonly ListedTool[]> {
    const reading = within(MCP_LIST_WAIT_MS, this.refresh(connection), this.#options.clock);
    await untilAborted(reading, signal);
    return this.#tools ?? [];
  }

  /** Reads the list if it may have changed. */
  async refresh(connection: McpConnection): Promise<void> {
    if (this.#isDue()) await this.read(connection);
  }

  /** Reads the list now. There is one reading at a time. */
  read(connection: McpConnection): Promise<ListReading> {
    this.#reading ??= this.#readOnce(connection).finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  #isDue(): boolean {
    const now = this.#options.clock.monotonic();
    if (this.#failedAt !== undefined) return now - this.#failedAt >= MCP_LIST_REST_MS;
    return this.#isStale || now - this.#readAt >= MCP_LIST_AGE_MS;
  }

  async #readOnce(connection: McpConnection): Promise<ListReading> {
    const { clock, log, registryName, connectMs, describe } = this.#options;
    const ms = connectMs + MAX_MCP_LIST_MS;
    using deadline = new Deadline({ ms, clock });
    this.#unusable = new Set();
    // A change that comes while the list is being read may be missing in it.
    this.#isStale = false;
    try {
      const tools = await connection.run(deadline.signal, readPages);
      this.#take(tools);
    } catch (error) {
      const message = deadline.isOver
        ? `the tool did not answer within ${ms / 1000} seconds`
        : describe(error);
      if (this.#failedAt === undefined) {
        const goesOn = this.#tools === undefined ? "without its tools" : "with those known before";
        const text = `The tools of an MCP server could not be listed; turns go on ${goesOn}`;
        log?.warn({ tool: registryName, reason: message }, text);
      }
      this.#failedAt = clock.monotonic();
      return { state: "failed", reason: "Unreachable", message };
    }
    if (this.#failedAt !== undefined) {
      log?.info({ tool: registryName }, "The tools of an MCP server can be listed again");
      this.#failedAt = undefined;
    }
    const unsupported = [...this.#unusable].map((name) => ({
      name,
      reason: "has no name or no schema of arguments that can be used",
    }));
    return { state: "read", tools: this.#tools ?? [], unsupported };
  }

  /** What has not changed stays the same object, since others keep what they made of it. */
  #take(listed: readonly ListedTool[]): void {
    const { clock, log, registryName: tool } = this.#options;
    const before = new Map(this.#tools?.map((known) => [known.name, known]));
    const tools = new Map<string, ListedTool>();
    const changed: string[] = [];
    for (const each of listed) {
      if (tools.has(each.name)) continue;
      const known = before.get(each.name);
      const isSame = known !== undefined && JSON.stringify(known) === JSON.stringify(each);
      if (known !== undefined && !isSame) changed.push(each.name);
      tools.set(each.name, isSame ? known : each);
    }
    const kept = [...tools.values()].slice(0, MAX_LISTED_TOOLS);
    const leftOut = [...this.#unusable, ...[...tools.keys()].slice(MAX_LISTED_TOOLS)];
    const isNews = this.#tools === undefined || kept.length !== this.#tools.length;
    if (leftOut.length > 0 && isNews) {
      const names = leftOut.slice(0, 10);
      log?.warn({ tool, names, count: leftOut.length }, "Some tools of an MCP server are left out");
    }
    if (changed.length > 0) {
      log?.warn({ tool, names: changed.slice(0, 10) }, "An MCP server describes tools otherwise");
    }
    this.#tools = kept;
    this.#readAt = clock.monotonic();
  }
}

async function readPages({ client }: McpClient, signal: AbortSignal): Promise<ListedTool[]> {
  if (client.getServerCapabilities()?.tools === undefined) return [];
  const tools: ListedTool[] = [];
  const seen = new Set<string>();
  let cursor: string | undefined;
  for (let pages = 0; pages < MAX_MCP_LIST_PAGES && tools.length <= MAX_LISTED_TOOLS; pages += 1) {
    const page = await client.request(
      { method: "tools/list", params: cursor === undefined ? {} : { cursor } },
      { signal, timeout: 2 * MAX_MCP_LIST_MS },
    );
    for (const { name, description = "", inputSchema } of page.tools) {
      tools.push({ name, description, inputSchema });
    }
    cursor = page.nextCursor;
    if (cursor === undefined || seen.has(cursor)) break;
    seen.add(cursor);
  }
  return tools;
}
