import type { StoreAddress } from "../../../agent-config/store-url.ts";
import type { Clock } from "../../../time/clock.ts";
import type { Log } from "../../../observability/log.ts";
import { ClusterLink } from "./cluster-link.ts";
import { ServerLink, type RedisLink } from "./server-link.ts";
import { RedisSentinels } from "./sentinels.ts";

export interface RedisLinkOptions {
  address: StoreAddress;
  /** Authorities to trust in place of the system's, PEM. */
  ca?: string | undefined;
  clock: Clock;
  log?: Log | undefined;
}

/** Opens the link to the Redis that an address names: a server, a cluster, or the primary that Sentinels name. */
export function openRedisLink({ address, ...options }: RedisLinkOptions): RedisLink {
  switch (address.kind) {
    case "server":
      return new ServerLink({ ...options, address });
    case "cluster":
      return new ClusterLink({ ...options, address });
    case "sentinel": {
      const { sentinels: _sentinels, primary: _primary, ...access } = address;
      const sentinels = new RedisSentinels({ ...options, address });
      return new ServerLink({
        ...options,
        // The Sentinels are asked for the server before each connection.
        address: { ...access, kind: "server", host: "", port: 0 },
        locate: () => sentinels.primary(),
      });
    }
  }
}
