import type { RedisLink } from "./server-link.ts";
import type { RedisOperation } from "./script/operation.ts";

/** Runs an operation in one round trip, or in two on a server that does not know its script yet. */
export async function runOperation<Input, Output>(
  link: RedisLink,
  operation: RedisOperation<Input, Output>,
  keys: readonly string[],
  input: Input,
): Promise<Output> {
  const rest = [String(keys.length), ...keys, ...operation.encode(input)];
  return operation.read(await evaluate(link, operation, rest), input);
}

async function evaluate(
  link: RedisLink,
  { sha1, text }: { sha1: string; text: string },
  rest: readonly string[],
): Promise<unknown> {
  try {
    return await link.execute(["EVALSHA", sha1, ...rest], { isExpected: isUnknownScript });
  } catch (error) {
    if (!isUnknownScript(error)) throw error;
    return link.execute(["EVAL", text, ...rest]);
  }
}

function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("NOSCRIPT");
}
