import type { z } from "zod";
import { formatPath, validate } from "../../api/fields/problems.ts";
import { CliError, EXIT_CODES } from "../terminal/cli-error.ts";

const MAX_BYTES = 64 * 1024;

interface JSONFlag<Value> {
  readonly flag: string;
  readonly schema: z.ZodType<Value>;
  /** A sentence with an example. */
  readonly cure: string;
}

/** Reads the value of a flag that is JSON. Throws a CliError that names the field that is wrong. */
export function readJSONFlag<Value>(text: string, { flag, schema, cure }: JSONFlag<Value>): Value {
  const wrong = (why: string, cause?: unknown): CliError =>
    new CliError(`${flag}: ${why}.`, { cure, exitCode: EXIT_CODES.usage, cause });
  if (Buffer.byteLength(text) > MAX_BYTES) throw wrong(`it is larger than ${MAX_BYTES} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw wrong("it is not JSON", error);
  }
  const read = validate(schema, value);
  if (read.ok) return read.value;
  throw wrong(
    read.problems
      .map(({ path, message }) => (path.length > 0 ? `${formatPath(path)}: ${message}` : message))
      .join("; "),
  );
}
