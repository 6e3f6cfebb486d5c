/**
 * Says what went wrong with a runtime. What it or the library says may hold a key or an internal address, so none of their words
 * are passed on.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import { RuntimeUnavailableError } from "../../framework/runtime-endpoint.ts";
import { RUNTIME_IDLE_LIMIT_MS } from "../../contracts/limits.ts";
import { ProviderFailedError, providerTurnError } from "../providers/provider-error.ts";
import { RuntimeSilentError } from "./conversation.ts";
import { MalformedMessageError } from "./server-message.ts";

export const RUNTIME_NAME = "runtime";

/** `hasBegun` says whether the runtime had answered with anything. An error that is not the runtime's own is returned as it is. */
export function runtimeTurnError(error: unknown, hasBegun: boolean): unknown {
  const known = error instanceof ProviderFailedError ? error : failureOf(error, hasBegun);
  return known === undefined ? error : providerTurnError(known.failure, RUNTIME_NAME);
}

function failureOf(error: unknown, hasBegun: boolean): ProviderFailedError | undefined {
  if (error instanceof RuntimeSilentError) {
    const seconds = RUNTIME_IDLE_LIMIT_MS / 1000;
    return new ProviderFailedError(
      "silent",
      `timeout; the runtime sent nothing for ${seconds} seconds`,
    );
  }
  if (error instanceof MalformedMessageError) {
    return new ProviderFailedError(
      "malformed",
      "malformed answer; it is not in the protocol omnia.runtime.v1",
    );
  }
  if (error instanceof RuntimeUnavailableError) return unreachable();
  if (!(error instanceof ConnectError)) return undefined;
  if (hasBegun)
    return new ProviderFailedError("interrupted", "the answer broke off before its end");
  if (error.code === Code.Unavailable) return unreachable();
  if (error.code === Code.Unimplemented) {
    return new ProviderFailedError("invalid_request", "it does not serve omnia.runtime.v1");
  }
  return new ProviderFailedError("server_error", "the runtime failed before it answered");
}

function unreachable(): ProviderFailedError {
  return new ProviderFailedError("unreachable", "it does not answer; try again");
}
