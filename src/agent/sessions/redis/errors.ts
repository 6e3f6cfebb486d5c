/** Says what went wrong with Redis, as an error of the session store, in words that hold no address and no secret. */
import { ConnectionTimeoutError, ErrorReply } from "@redis/client";
import { CORRUPT } from "./script/session-functions.ts";
import { CorruptSessionError, StoreUnavailableError } from "../session-store.ts";

/** What the first word of the server's answer means. */
const REPLIES: Readonly<Record<string, string>> = {
  WRONGPASS: "it refuses the user name or password of its URL",
  NOAUTH: "it asks for a password, and its URL has none",
  NOPERM: "its user may not do what is needed",
  DENIED: "it does not take connections from here",
  LOADING: "it is starting: its data is being loaded",
  READONLY: "it is a replica that takes no writes",
  MASTERDOWN: "it has lost its primary",
  OOM: "it is out of memory",
  MISCONF: "it cannot write to its disk",
  BUSY: "it is busy with a script",
  NOREPLICAS: "it has too few replicas to take writes",
  CLUSTERDOWN: "its cluster is down",
  MOVED: "it is part of a cluster, and its URL must begin with redis+cluster://",
  ASK: "it is part of a cluster, and its URL must begin with redis+cluster://",
};

const CONNECTION_PROBLEMS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens at its address",
  ECONNRESET: "the connection was cut",
  EPIPE: "the connection was cut",
  ETIMEDOUT: "its address does not answer",
  EHOSTUNREACH: "its host cannot be reached",
  ENETUNREACH: "its network cannot be reached",
  ENOTFOUND: "its host name is unknown",
  EAI_AGAIN: "its host name could not be looked up",
  EPROTO: "it does not speak TLS",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host name",
  CERT_HAS_EXPIRED: "its certificate has expired",
};

/** Whether the server's answer is an error that stays as it is on this connection, but may not on a new one. */
export function wantsNewConnection(error: unknown): boolean {
  return error instanceof ErrorReply && firstWord(error) === "READONLY";
}

export function storeError(error: unknown): StoreUnavailableError | CorruptSessionError {
  if (error instanceof StoreUnavailableError || error instanceof CorruptSessionError) return error;
  if (error instanceof ErrorReply && saysCorrupt(error)) {
    return new CorruptSessionError("what the session store holds of this session is not readable", {
      cause: error,
    });
  }
  return new StoreUnavailableError(`the session store is unavailable: ${problemOf(error)}`, {
    cause: error,
  });
}

/** What is wrong with the store, as the end of a sentence. */
export function problemOf(error: unknown): string {
  if (error instanceof ErrorReply) {
    const word = firstWord(error);
    if (error.message.includes("AUTH <password> called without any password")) {
      return "its URL has a password, and the server has none set";
    }
    if (error.message.includes("DB index is out of range")) {
      return "it has no database of the number in its URL";
    }
    return REPLIES[word] ?? `it answered with an error (${word})`;
  }
  if (error instanceof ConnectionTimeoutError) return "its address does not answer";
  if (error instanceof Error && error.message === "The queue is full") {
    return "too much waits for it";
  }
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  if (code === undefined) return "the connection was lost";
  const problem = CONNECTION_PROBLEMS[code];
  if (problem !== undefined) return `${problem} (${code})`;
  if (code.startsWith("ERR_OSSL_PEM")) return `its ca.crt holds no certificate (${code})`;
  if (code.startsWith("ERR_SSL")) return `it does not speak TLS as we do (${code})`;
  if (code.includes("CERT") || code.includes("SIGNATURE")) {
    return `its certificate is not trusted (${code})`;
  }
  return `the connection failed (${code})`;
}

function saysCorrupt(error: ErrorReply): boolean {
  return (
    error.message.includes(CORRUPT) ||
    error.message.includes("WRONGTYPE") ||
    // A frame whose id is there already, or is before one that is: the stream is not as the session says.
    error.message.includes("The ID specified in XADD is equal or smaller")
  );
}

function firstWord(error: ErrorReply): string {
  return /^[A-Z]+/.exec(error.message)?.[0] ?? "ERR";
}
