/** Redis as production has it: a cluster of several nodes, and a primary that Sentinels watch over. */
import { systemClock } from "../../../src/time/clock.ts";
import { ServerLink } from "../../../src/agent/sessions/redis/server-link.ts";
import { startRedis, type RedisOptions, type RedisServer } from "./redis.ts";
import { eventually } from "./redis-sessions.ts";

const SLOTS = 16_384;

export interface RedisClusterOfTest extends AsyncDisposable {
  readonly url: string;
  readonly nodes: readonly RedisServer[];
  /** Sends a command to one node. */
  command(node: number, ...args: string[]): Promise<unknown>;
}

/** Three primaries without replicas; a node that is lost comes back with what it had. */
export async function startRedisCluster(options: RedisOptions = {}): Promise<RedisClusterOfTest> {
  const nodes = await Promise.all(
    [0, 1, 2].map(() =>
      startRedis({
        ...options,
        appendOnly: true,
        config: [
          "cluster-enabled yes",
          "cluster-node-timeout 2000",
          "appendfsync always",
          ...(options.config ?? []),
        ],
      }),
    ),
  );
  const links = nodes.map((node) => connectionTo(node));
  const command = (node: number, ...args: string[]): Promise<unknown> =>
    (links[node] as ServerLink).execute(args);
  for (const at of nodes.keys()) {
    const [from, to] = [at, at + 1].map((each) => Math.floor((SLOTS * each) / nodes.length));
    await command(at, "CLUSTER", "ADDSLOTSRANGE", String(from), String((to as number) - 1));
    await command(at, "CLUSTER", "SET-CONFIG-EPOCH", String(at + 1));
    if (at > 0) await command(at, "CLUSTER", "MEET", "127.0.0.1", String(nodes[0]?.port));
  }
  await eventually(async () => {
    for (const at of nodes.keys()) {
      const info = String(await command(at, "CLUSTER", "INFO"));
      if (!info.includes("cluster_state:ok")) throw new Error(info);
    }
  });
  const { password } = options;
  const user = password === undefined ? "" : `:${encodeURIComponent(password)}@`;
  return {
    url: `redis+cluster://${user}${nodes.map(({ port }) => `127.0.0.1:${port}`).join(",")}`,
    nodes,
    command,
    async [Symbol.asyncDispose]() {
      await Promise.all(links.map((link) => link.close()));
      await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()));
    },
  };
}

export interface WatchedRedis extends AsyncDisposable {
  readonly url: string;
  readonly primary: RedisServer;
  readonly replica: RedisServer;
  readonly sentinels: readonly RedisServer[];
}

/** A primary and a replica, and three Sentinels that make the replica the primary once that one is lost. */
export async function startWatchedRedis(options: RedisOptions = {}): Promise<WatchedRedis> {
  const { password } = options;
  const authentication = password === undefined ? [] : [`masterauth ${JSON.stringify(password)}`];
  const config = [...authentication, "repl-diskless-sync-delay 0"];
  const primary = await startRedis({ ...options, config });
  const following = `replicaof 127.0.0.1 ${primary.port}`;
  const replica = await startRedis({ ...options, config: [...config, following] });
  const sentinels = await Promise.all([0, 1, 2].map(() => startRedis({ sentinel: true })));
  for (const sentinel of sentinels) {
    const link = connectionTo(sentinel);
    const set = (name: string, value: string): Promise<unknown> =>
      link.execute(["SENTINEL", "SET", "sessions", name, value]);
    await link.execute(["SENTINEL", "MONITOR", "sessions", "127.0.0.1", String(primary.port), "2"]);
    if (password !== undefined) await set("auth-pass", password);
    await set("down-after-milliseconds", "1000");
    await set("failover-timeout", "5000");
    await eventually(async () => {
      const known = await link.execute(["SENTINEL", "REPLICAS", "sessions"]);
      if (!Array.isArray(known) || known.length !== 1) throw new Error("the replica is not known");
    });
    await link.close();
  }
  await eventually(async () => {
    const link = connectionTo(sentinels[0] as RedisServer);
    const known = await link.execute(["SENTINEL", "SENTINELS", "sessions"]);
    await link.close();
    if (!Array.isArray(known) || known.length !== 2) throw new Error("not all Sentinels are known");
  });
  const user = password === undefined ? "" : `:${encodeURIComponent(password)}@`;
  const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(",");
  return {
    url: `redis+sentinel://${user}${hosts}/sessions`,
    primary,
    replica,
    sentinels,
    async [Symbol.asyncDispose]() {
      const servers = [...sentinels, replica, primary];
      await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
    },
  };
}

function connectionTo({ url }: RedisServer): ServerLink {
  const { password, hostname, port } = new URL(url);
  return new ServerLink({
    address: {
      kind: "server",
      host: hostname,
      port: Number(port),
      tls: false,
      database: 0,
      ...(password === "" ? {} : { password: decodeURIComponent(password) }),
    },
    clock: systemClock,
  });
}
