/** Who a client is to a session store: whose sessions it may see, and who answers for what they take. */
import { hash } from "node:crypto";
import { isIP, isIPv6 } from "node:net";

export interface SessionClient {
  /** Whoever has the same owner shares the client's sessions, and nobody else knows of them. A store only compares it. */
  readonly owner: string;
  /**
   * Whose share of a store the sessions of the client count against: the owner's where clients are authenticated, and the
   * address's where all clients have one owner.
   */
  readonly holder: string;
  /** What tools that ask for it are told of who the client is. No store keeps it. Undefined when the agent authenticates nobody. */
  readonly callerSubject?: string | undefined;
}

/** Who may go on with a session, and on whose behalf its turns then run. */
export type SessionOwner = Pick<SessionClient, "owner" | "callerSubject">;

/** What tells a client from others. */
export interface ClientIdentity {
  /** The agent that the client speaks with. Many agents may share one store. */
  readonly agent: { readonly namespace: string; readonly name: string };
  /** What the authenticator calls the client, its issuer included. Undefined when the agent authenticates nobody. */
  readonly subject: string | undefined;
  /** What tools that ask for it are told, which is without the issuer. */
  readonly callerSubject?: string | undefined;
  /** The address that the connection comes from. */
  readonly address: string | undefined;
}

/** An IPv6 host has a network of 64 bits to itself, and any address in it. */
const IPV6_NETWORK_GROUPS = 4;
const IPV6_GROUPS = 8;

export function sessionClientOf({
  agent,
  subject,
  callerSubject,
  address,
}: ClientIdentity): SessionClient {
  const ofAgent = [agent.namespace, agent.name];
  if (subject !== undefined) {
    const owner = digestOf([...ofAgent, "subject", subject]);
    return { owner, holder: owner, callerSubject };
  }
  return {
    owner: digestOf([...ofAgent, "anyone"]),
    holder: digestOf([...ofAgent, "address", networkOf(address ?? "")]),
  };
}

/** The owner of ids that are out of use. No client has it, because it is no digest. */
export const NOBODY = "nobody";

/**
 * JSON keeps parts apart, whatever they hold. The digest is short however long a subject is, and says nothing of a person
 * to those who read the store.
 */
function digestOf(parts: readonly string[]): string {
  return hash("sha256", JSON.stringify(parts), "base64url");
}

function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "");
  if (isIP(plain) === 0 || !isIPv6(plain)) return plain;
  const [head = "", tail] = plain.split("::");
  const groups = (text: string | undefined): string[] => (text ? text.split(":") : []);
  const missing = tail === undefined ? 0 : IPV6_GROUPS - groups(head).length - groups(tail).length;
  const all = [...groups(head), ...Array.from({ length: missing }, () => "0"), ...groups(tail)];
  const network = all.slice(0, IPV6_NETWORK_GROUPS).map((group) => Number.parseInt(group, 16));
  return `${network.map((group) => group.toString(16)).join(":")}::/64`;
}
