import { findLocal } from "../state/find-local.ts";
import type { Environment } from "../secrets/resolve-secret.ts";
import { defaultStateFolder } from "../state/state-folder.ts";
import { UpError } from "../state/up-error.ts";

interface Address {
  readonly host: string;
  readonly port: number;
}

/** Listens, and resolves to what the gateway says. Rejects with an UpError that names the cure. */
export async function listenOrExplain<Listening>(
  gateway: { listen(address: Address): Promise<Listening> },
  { host, port }: Address,
  env: Environment,
): Promise<Listening> {
  try {
    return await gateway.listen({ host, port });
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    switch (code) {
      case "EADDRINUSE": {
        const stateFolder = defaultStateFolder(env, port);
        const other = await findLocal({ env, stateFolder }).catch(() => undefined);
        const by = other === undefined ? "" : ` by another omnia up (process ${other.pid})`;
        throw new UpError(
          `Port ${port} is in use${by}.`,
          "Choose another with --port, or end what uses it.",
          {
            cause: error,
          },
        );
      }
      case "EACCES":
        throw new UpError(
          `Port ${port} is not for this user.`,
          "Choose one above 1023 with --port.",
          { cause: error },
        );
      case "EADDRNOTAVAIL":
      case "ENOTFOUND":
      case "EINVAL":
        throw new UpError(
          `${host} is no address of this machine.`,
          "--host takes one, such as 127.0.0.1, or 0.0.0.0 for all of them.",
          { cause: error },
        );
      default:
        throw error;
    }
  }
}

/** The host by which people reach a server that listens at an address: a name instead of a number where there is one. */
export function urlOf({ host, port }: Address): string {
  const isLocalhost = ["127.0.0.1", "localhost", "0.0.0.0", "::"].includes(host);
  const name = isLocalhost ? "localhost" : host;
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}`;
}
