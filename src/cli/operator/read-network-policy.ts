import { formatPath, validate } from "../../api/fields/problems.ts";
import {
  type AgentNetworkPolicy,
  agentNetworkPolicySchema,
} from "../../operator/cluster/agent-network-policy.ts";
import { CliError, EXIT_CODES } from "../terminal/cli-error.ts";

const MAX_BYTES = 64 * 1024;

/** The value of `--network-policy`. Throws a CliError that names the field that is wrong. */
export function readNetworkPolicy(text: string): AgentNetworkPolicy {
  if (Buffer.byteLength(text) > MAX_BYTES) {
    throw wrong(`it is larger than ${MAX_BYTES} bytes`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw wrong("it is not JSON", error);
  }
  const read = validate(agentNetworkPolicySchema, value);
  if (read.ok) return read.value;
  throw wrong(
    read.problems
      .map(({ path, message }) => (path.length > 0 ? `${formatPath(path)}: ${message}` : message))
      .join("; "),
  );
}

function wrong(why: string, cause?: unknown): CliError {
  return new CliError(`--network-policy: ${why}.`, {
    cure: 'Give an object such as {"managementFrom":[{"namespaceSelector":{}}],"egress":[]}; every field may be left out.',
    exitCode: EXIT_CODES.usage,
    cause,
  });
}
