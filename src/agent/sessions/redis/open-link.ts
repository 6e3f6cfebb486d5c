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

/** What carries commands to the Redis that an address names, of whichever kind it is. */
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
        // Which server it is, is found out for each connection.
        address: { ...access, kind: "server", host: "", port: 0 },
        locate: () => sentinels.primary(),
      });
    }
  }
}
