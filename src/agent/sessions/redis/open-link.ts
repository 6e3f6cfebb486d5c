import type { StoreAddress } from "../../../agent-config/store-url.ts";
import type { Clock } from "../../../time/clock.ts";
import type { Log } from "../../../observability/log.ts";
import { RedisCluster } from "./cluster-link.ts";
import { RedisConnection, type RedisLink } from "./server-link.ts";
import { RedisSentinels } from "./sentinels.ts";

export interface RedisLinkOptions {
  address: StoreAddress;
  /** Authorities to trust in place of the system's, PEM. */
  ca?: string;
  clock: Clock;
  log?: Log;
}

/** What carries commands to the Redis that an address names, of whichever kind it is. */
export function openRedisLink({ address, ...options }: RedisLinkOptions): RedisLink {
  switch (address.kind) {
    case "server":
      return new RedisConnection({ ...options, address });
    case "cluster":
      return new RedisCluster({ ...options, address });
    case "sentinel": {
      const { sentinels: _sentinels, primary: _primary, ...access } = address;
      const sentinels = new RedisSentinels({ ...options, address });
      return new RedisConnection({
        ...options,
        // Which server it is, is found out for each connection.
        address: { ...access, kind: "server", host: "", port: 0 },
        locate: () => sentinels.primary(),
      });
    }
  }
}
