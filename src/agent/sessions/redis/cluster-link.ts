/**
 * A Redis Cluster as one link: each command goes to the node that has the slot of its key. Which node that is comes from the
 * cluster, and is asked for again when a node says that it has moved, or cannot be reached.
 */
import { ErrorReply } from "@redis/client";
import type { ClusterAddress, StoreEndpoint } from "../../../agent-config/store-url.ts";
import type { Clock } from "../../../time/clock.ts";
import type { Log } from "../../../observability/log.ts";
import { slotOfKey } from "./cluster-slot.ts";
import { ServerLink, type ExecuteOptions, type RedisLink } from "./server-link.ts";
import { storeError } from "./errors.ts";
import { StoreUnavailableError } from "../session-store.ts";

/** Redirections that one command follows, and pauses while its slot is between two nodes. */
const MAX_ATTEMPTS = 6;
const TRY_AGAIN_MS = 50;
/** A map that is younger than this is not asked for again: many commands fail together when a node is lost. */
const MIN_MAP_AGE_MS = 250;

interface SlotRange {
  readonly from: number;
  readonly to: number;
  readonly node: string;
}

export interface ClusterLinkOptions {
  address: ClusterAddress;
  /** Authorities to trust in place of the system's, PEM. */
  ca?: string | undefined;
  clock: Clock;
  log?: Log | undefined;
}

export class ClusterLink implements RedisLink {
  readonly #options: ClusterLinkOptions;
  /** The nodes that have slots, and those of the URL. The keys are `host:port`. */
  readonly #nodes = new Map<string, ServerLink>();
  readonly #seeds: ReadonlySet<string>;
  #ranges: readonly SlotRange[] = [];
  #mappedAt = -Infinity;
  #mapping: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: ClusterLinkOptions) {
    this.#options = options;
    this.#seeds = new Set(options.address.nodes.map(nameOf));
    for (const endpoint of options.address.nodes) this.#node(nameOf(endpoint));
  }

  readonly epoch = 0;

  /** The commands of the session store have one key, or several of one slot. */
  async execute(args: readonly string[], options: ExecuteOptions = {}): Promise<unknown> {
    const slot = slotOfKey(keyOf(args));
    let asking: string | undefined;
    let last: unknown;
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const name = asking ?? (await this.#nameOfNode(slot));
      const node = this.#node(name);
      try {
        return await this.#executeAt(node, args, asking !== undefined, options);
      } catch (error) {
        last = error;
        asking = undefined;
        const redirection = redirectionOf(error, name);
        if (redirection?.kind === "ASK") {
          asking = redirection.node;
        } else if (redirection?.kind === "MOVED") {
          this.#ranges = [{ from: slot, to: slot, node: redirection.node }, ...this.#ranges];
          void this.#map().catch(() => {});
        } else if (redirection?.kind === "TRYAGAIN") {
          await this.#options.clock.sleep(TRY_AGAIN_MS * attempt);
        } else if (error instanceof StoreUnavailableError && !this.#isClosed) {
          // Another node may have taken the slot over meanwhile.
          await this.#map();
          if ((await this.#nameOfNode(slot)) === name) throw error;
        } else {
          throw error;
        }
      }
    }
    throw storeError(last);
  }

  async close(options?: { drain: boolean }): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#nodes.values()].map((node) => node.close(options)));
  }

  async #executeAt(
    node: ServerLink,
    args: readonly string[],
    isAsking: boolean,
    options: ExecuteOptions,
  ): Promise<unknown> {
    const expecting: ExecuteOptions = {
      ...options,
      isExpected: (error) => isRedirection(error) || options.isExpected?.(error) === true,
    };
    if (!isAsking) return node.execute(args, expecting);
    const [, reply] = await Promise.all([node.execute(["ASKING"]), node.execute(args, expecting)]);
    return reply;
  }

  async #nameOfNode(slot: number): Promise<string> {
    const find = (): string | undefined =>
      this.#ranges.find(({ from, to }) => from <= slot && slot <= to)?.node;
    const known = find();
    if (known !== undefined) return known;
    await this.#map();
    const found = find();
    if (found !== undefined) return found;
    throw new StoreUnavailableError(
      "the session store is unavailable: its cluster is not complete",
    );
  }

  /** Rejects with what the last node that was asked said. */
  #map(): Promise<void> {
    const age = this.#options.clock.monotonic() - this.#mappedAt;
    if (age < MIN_MAP_AGE_MS) return Promise.resolve();
    this.#mapping ??= this.#askForMap().finally(() => (this.#mapping = undefined));
    return this.#mapping;
  }

  async #askForMap(): Promise<void> {
    let last: unknown;
    for (const [name, node] of this.#nodes) {
      try {
        const reply = await node.execute(["CLUSTER", "SLOTS"]);
        this.#take(rangesOf(reply, name));
        return;
      } catch (error) {
        last = error;
      }
    }
    throw storeError(last);
  }

  #take(ranges: readonly SlotRange[]): void {
    this.#ranges = ranges;
    this.#mappedAt = this.#options.clock.monotonic();
    const wanted = new Set(ranges.map(({ node }) => node));
    for (const [name, node] of this.#nodes) {
      if (wanted.has(name) || this.#seeds.has(name)) continue;
      this.#nodes.delete(name);
      void node.close();
    }
  }

  #node(name: string): ServerLink {
    const known = this.#nodes.get(name);
    if (known !== undefined) return known;
    if (this.#isClosed) throw new StoreUnavailableError("the session store is closed");
    const { address, ca, clock, log } = this.#options;
    const { tls, username, password } = address;
    const at = name.lastIndexOf(":");
    const node = new ServerLink({
      address: {
        kind: "server",
        host: name.slice(0, at),
        port: Number(name.slice(at + 1)),
        tls,
        database: 0,
        username,
        password,
      },
      clock,
      ca,
      log,
    });
    this.#nodes.set(name, node);
    return node;
  }
}

function nameOf({ host, port }: StoreEndpoint): string {
  return `${host}:${port}`;
}

/** The first key of a command that the session store sends. */
function keyOf(args: readonly string[]): string {
  const [command] = args;
  const key =
    command === "EVALSHA" || command === "EVAL"
      ? args[3]
      : command === "XREAD"
        ? args[args.indexOf("STREAMS") + 1]
        : args[1];
  return key ?? "";
}

interface Redirection {
  readonly kind: "MOVED" | "ASK" | "TRYAGAIN";
  readonly node: string;
}

function isRedirection(error: unknown): boolean {
  return error instanceof ErrorReply && /^(?:MOVED|ASK|TRYAGAIN) /.test(error.message);
}

function redirectionOf(error: unknown, askedNode: string): Redirection | undefined {
  if (!isRedirection(error)) return undefined;
  const [kind, , node = ""] = (error as Error).message.split(" ");
  // A node that does not know its own name leaves it out.
  const host = node.startsWith(":") ? askedNode.slice(0, askedNode.lastIndexOf(":")) : "";
  return { kind: kind as Redirection["kind"], node: host + node };
}

/** Reads what CLUSTER SLOTS answers: from, to, primary, replicas; a host that is missing is the one that was asked. */
function rangesOf(reply: unknown, askedNode: string): SlotRange[] {
  if (!Array.isArray(reply)) throw notUnderstood();
  return reply.map((entry: unknown) => {
    const [from, to, primary] = Array.isArray(entry) ? (entry as unknown[]) : [];
    const [host, port] = Array.isArray(primary) ? (primary as unknown[]) : [];
    if (typeof from !== "number" || typeof to !== "number" || typeof port !== "number") {
      throw notUnderstood();
    }
    const named = typeof host === "string" && host !== "" && host !== "?";
    const node = nameOf({
      host: named ? host : askedNode.slice(0, askedNode.lastIndexOf(":")),
      port,
    });
    return { from, to, node };
  });
}

function notUnderstood(): StoreUnavailableError {
  return new StoreUnavailableError(
    "the session store is unavailable: it does not say which node has what",
  );
}
