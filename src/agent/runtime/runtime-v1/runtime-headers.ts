/** What a runtime is told beside the message. It gets no credential of the client. */
import { traceHeaders } from "../../../observability/tracing/active-span.ts";
import type { Turn } from "../../contracts/handler.ts";

/** The names are those of the contract. */
export function runtimeHeaders({
  id,
  sessionId,
  config,
}: Pick<Turn, "id" | "sessionId" | "config">): Record<string, string> {
  return {
    "x-omnia-agent-name": config.agent.name,
    "x-omnia-namespace": config.agent.namespace,
    "x-omnia-session-id": sessionId,
    "x-omnia-request-id": id,
    ...traceHeaders(),
  };
}

/** The contract takes strings only. Other values are written as JSON. */
export function runtimeMetadata(metadata: Turn["metadata"]): Record<string, string> {
  const entries = Object.entries(metadata ?? {}).map(([name, value]): [string, string] => [
    name,
    typeof value === "string" ? value : JSON.stringify(value ?? null),
  ]);
  return Object.fromEntries(entries);
}
