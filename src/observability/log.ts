/** The log writes JSON lines to stdout. */
import { pino, type DestinationStream, type Logger } from "pino";
import type { SecretValues } from "./secrets/secret-values.ts";
import { withoutSecrets } from "./secrets/without-secrets.ts";
import { visibleJSON } from "./terminal/visible-text.ts";

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Each function takes fields and one sentence. An error goes into the field `error`. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /**
   * Writes a line at info whose fields are what this program made itself: ids, names of its own, numbers. They are written as they
   * are. To look for secrets in them would cost five times as much as all the rest, which counts where each turn has a line.
   */
  record(fields: OwnFields, message: string): void;
  /** Returns a log that adds these fields to every line. */
  child(fields: Record<string, unknown>): Log;
}

/** Fields in which no text of others can be. Those that are undefined are left out. */
export type OwnFields = Readonly<Record<string, string | number | undefined>>;

const SECRET_FIELDS = [
  "apiKey",
  "authorization",
  "password",
  "secret",
  "token",
  "cookie",
  "x-api-key",
];
/** Where pino keeps the fields of a child, as they are written. */
const { chindingsSym: bindings } = pino.symbols;
const MAX_CAUSES = 5;
const MAX_SHOWN_LEVEL_CHARACTERS = 64;
/** Fields deeper than this are written as they are: no part logs any. */
const MAX_DEPTH = 4;

export interface LogOptions {
  readonly level?: LogLevel | undefined;
  readonly destination?: DestinationStream | undefined;
  /** What this process was given: no text of a line holds one of them. */
  readonly secretValues?: SecretValues | undefined;
}

type Clean = (text: string) => string;

export function createLog({ level, destination, secretValues }: LogOptions = {}): Log {
  const clean: Clean = (text) => withoutSecrets(secretValues?.hide(text) ?? text);
  const stream = visiblyTo(destination ?? pino.destination({ dest: 1, sync: true }));
  const log = pino(
    {
      level: level ?? "info",
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => cleanFields(fields, clean),
      },
      hooks: {
        logMethod([fields, message, ...rest], method) {
          method.apply(this, [
            fields,
            typeof message === "string" ? clean(message) : message,
            ...rest,
          ]);
        },
      },
      redact: {
        paths: SECRET_FIELDS.flatMap((field) => [`["${field}"]`, `*["${field}"]`]),
        censor: "[redacted]",
      },
      serializers: { error: (error: unknown) => describeError(error, clean) },
    },
    stream,
  );
  // The logs that are made of this one have it, too.
  return Object.assign(log, {
    record(this: Logger, fields: OwnFields, message: string): void {
      if (!this.isLevelEnabled("info")) return;
      const above = (this as unknown as { [bindings]: string })[bindings];
      const own = JSON.stringify({ ...fields, msg: message }).slice(1);
      stream.write(`{"level":"info"${pino.stdTimeFunctions.isoTime()}${above},${own}\n`);
    },
  });
}

/** A log is read on a terminal, too, which obeys some of what JSON leaves as it is. */
function visiblyTo(destination: DestinationStream): DestinationStream {
  return { write: (line) => destination.write(visibleJSON(line)) };
}

/** Creates the log of a process, with the level of `LOG_LEVEL`. Says so where that is no level, and takes `info`. */
export function createProcessLog(
  env: Readonly<Record<string, string | undefined>>,
  options: Omit<LogOptions, "level"> = {},
): Log {
  const wanted = env["LOG_LEVEL"] ?? "";
  const level = LOG_LEVELS.find((level) => level === wanted.toLowerCase());
  const log = createLog({ ...options, level });
  if (level === undefined && wanted !== "") {
    const shown = wanted.slice(0, MAX_SHOWN_LEVEL_CHARACTERS);
    log.warn(
      { LOG_LEVEL: shown, levels: LOG_LEVELS },
      "LOG_LEVEL is none of the levels, so info is used",
    );
  }
  return log;
}

function cleanFields(fields: object, clean: Clean): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, cleanValue(value, clean, 1)]),
  );
}

/** An error goes on as it is: it is described later. */
function cleanValue(value: unknown, clean: Clean, depth: number): unknown {
  if (typeof value === "string") return clean(value);
  if (depth > MAX_DEPTH || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => cleanValue(one, clean, depth + 1));
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, cleanValue(one, clean, depth + 1)]),
  );
}

function describeError(error: unknown, clean: Clean, depth = 0): unknown {
  if (!(error instanceof Error)) return typeof error === "string" ? clean(error) : typeof error;
  const { code, cause } = error as Error & { code?: unknown };
  return {
    name: error.name,
    message: clean(error.message),
    ...(typeof code === "string" || typeof code === "number" ? { code } : {}),
    // The stack of the outermost error tells where it happened. The causes only have to tell why.
    ...(depth === 0 && error.stack !== undefined ? { stack: clean(error.stack) } : {}),
    ...(cause !== undefined && depth < MAX_CAUSES
      ? { cause: describeError(cause, clean, depth + 1) }
      : {}),
  };
}
