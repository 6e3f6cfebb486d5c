import { RedisClient } from "@redis/client";
import type { ServerAddress } from "../../../agent-config/store-url.ts";

/** The time from the first packet of a connection to the answer to a PING. */
export const CONNECT_TIMEOUT_MS = 5_000;
export const MAX_COMMANDS_IN_FLIGHT = 10_000;

/** The library's client without its commands as methods, which would cost a class of 500 of them. */
export type PlainClient = Pick<
  InstanceType<typeof RedisClient<{}, {}, {}, 2, {}>>,
  "connect" | "close" | "destroy"
> & {
  sendCommand(args: readonly string[]): Promise<unknown>;
  on(event: "error", listener: (error: unknown) => void): unknown;
};

/** Makes a client of one server that never reconnects by itself. `ca`: authorities to trust in place of the system's, PEM. */
export function newRedisClient(address: ServerAddress, ca: string | undefined): PlainClient {
  const { host, port, tls, username, password, database } = address;
  const socket = {
    host,
    port,
    connectTimeout: CONNECT_TIMEOUT_MS,
    reconnectStrategy: false,
  } as const;
  // The library's types want an option that has no value to be left out.
  const trusted = ca === undefined ? {} : { ca };
  const user = username === undefined ? {} : { username };
  const secret = password === undefined ? {} : { password };
  return new RedisClient({
    RESP: 2,
    socket: tls ? { ...socket, ...trusted, tls: true } : socket,
    ...user,
    ...secret,
    database,
    disableOfflineQueue: true,
    commandsQueueMaxLength: MAX_COMMANDS_IN_FLIGHT,
    // The library's timeout ends when a command is written, which is when ours begins to matter.
    commandOptions: { timeout: 0 },
    disableClientInfo: true,
    maintNotifications: "disabled",
  });
}
