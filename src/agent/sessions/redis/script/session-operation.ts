/** Operations on one session: scripts that have the keys of the session, its limits and the functions below. */
import { SESSION_KEY_VARIABLES } from "./session-keys.ts";
import {
  defineOperation,
  type ArgumentKinds,
  type OperationDefinition,
  type RedisOperation,
} from "./operation.ts";
import { SESSION_FUNCTIONS } from "./session-functions.ts";

const LIMITS = {
  ttl: "number",
  retention: "number",
  maxKept: "number",
  agent: "text",
} as const;

/** What every script on a session is given first. */
export interface SessionLimits {
  /** How long a session outlasts its last activity, in milliseconds. */
  readonly ttl: number;
  /** How long frames are kept after their turn has ended, in milliseconds. */
  readonly retention: number;
  /** Bytes of frames that are kept of ended turns. */
  readonly maxKept: number;
  /** The agent that the sessions are of, as `namespace/name`. */
  readonly agent: string;
}

export interface SessionInput<Input> {
  readonly limits: SessionLimits;
  readonly input: Input;
}

export type SessionOperation<Input, Output> = RedisOperation<SessionInput<Input>, Output>;

export function sessionOperation<const Own extends ArgumentKinds, Input, Output>(
  definition: Omit<OperationDefinition<Own, Input, Output>, "keys">,
): SessionOperation<Input, Output> {
  const { lua, encode, read } = definition;
  return defineOperation<ArgumentKinds, SessionInput<Input>, Output>({
    keys: SESSION_KEY_VARIABLES,
    arguments: { ...LIMITS, ...definition.arguments },
    lua: SESSION_FUNCTIONS + lua,
    encode: ({ limits, input }) => ({ ...limits, ...encode(input) }),
    read: (reply, { input }) => read(reply, input),
  });
}
