/** The log writes JSON lines to stdout. */
import { pino, type DestinationStream } from "pino";
import { withoutSecrets } from "./secrets/without-secrets.ts";

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Each function takes fields and one sentence. An error goes into the field `error`. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** Returns a log that adds these fields to every line. */
  child(fields: Record<string, unknown>): Log;
}

const SECRET_FIELDS = [
  "apiKey",
  "authorization",
  "password",
  "secret",
  "token",
  "cookie",
  "x-api-key",
];
const MAX_CAUSES = 5;

export function createLog(
  options: { level?: LogLevel; destination?: DestinationStream } = {},
): Log {
  return pino(
    {
      level: options.level ?? "info",
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: SECRET_FIELDS.flatMap((field) => [`["${field}"]`, `*["${field}"]`]),
        censor: "[redacted]",
      },
      serializers: { error: (error: unknown) => describeError(error) },
    },
    options.destination ?? pino.destination({ dest: 1, sync: true }),
  );
}

/** Reads `LOG_LEVEL`. A value that is not a level counts as unset. */
export function logLevelFrom(value: string | undefined): LogLevel {
  return LOG_LEVELS.find((level) => level === value?.toLowerCase()) ?? "info";
}

function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error))
    return typeof error === "string" ? withoutSecrets(error) : typeof error;
  const { code, cause } = error as Error & { code?: unknown };
  return {
    name: error.name,
    message: withoutSecrets(error.message),
    ...(typeof code === "string" || typeof code === "number" ? { code } : {}),
    // The stack of the outermost error tells where it happened. The causes only have to tell why.
    ...(depth === 0 && error.stack !== undefined ? { stack: withoutSecrets(error.stack) } : {}),
    ...(cause !== undefined && depth < MAX_CAUSES
      ? { cause: describeError(cause, depth + 1) }
      : {}),
  };
}
