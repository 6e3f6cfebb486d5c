/** Why a reconciliation failed, as the metrics count it: one of few words, whatever the error says. */
import { ApiError, ConnectionError } from "../kube/client/api-error.ts";
import { TerminalError } from "../kube/controller/controller.ts";

/** The reasons of the API server's Status objects. A proxy before it may say anything, which must not become a label. */
const API_REASONS: ReadonlySet<string> = new Set([
  "Unauthorized",
  "Forbidden",
  "NotFound",
  "AlreadyExists",
  "Conflict",
  "Gone",
  "Invalid",
  "ServerTimeout",
  "StoreReadError",
  "Timeout",
  "TooManyRequests",
  "BadRequest",
  "MethodNotAllowed",
  "NotAcceptable",
  "RequestEntityTooLarge",
  "UnsupportedMediaType",
  "InternalError",
  "Expired",
  "ServiceUnavailable",
]);
const MAX_CAUSES = 5;

export function failureReason(error: unknown): string {
  let cause = error;
  for (let depth = 0; depth <= MAX_CAUSES && cause instanceof Error; depth += 1) {
    if (cause instanceof ApiError) {
      return API_REASONS.has(cause.reason) ? cause.reason : `Status${cause.status}`;
    }
    if (cause instanceof ConnectionError) return "NoConnection";
    if (cause instanceof TerminalError) return "Terminal";
    cause = cause.cause;
  }
  return "Other";
}
