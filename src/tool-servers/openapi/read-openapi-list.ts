import type { Clock } from "../../time/clock.ts";
import type { GuardedTransport } from "../server/guarded-transport.ts";
import { convertOperations, type ConvertOptions } from "./convert-operations.ts";
import { UnsupportedError } from "./openapi-document.ts";
import type { OpenApiReading } from "./openapi-list.ts";
import {
  DocumentError,
  type DocumentRequest,
  fetchDocument,
  parseDocument,
} from "./read-document.ts";

/** What its entry in a registry says of an openapi server. */
export type OpenApiSource = Omit<DocumentRequest, "credential"> & ConvertOptions;

export interface OpenApiListContext {
  /** It connects to `allowedAddresses` of the source, and to nothing else. */
  readonly transport: GuardedTransport;
  readonly clock: Pick<Clock, "setTimer">;
  /** That of the registry. `undefined`: none is sent. */
  readonly credential: string | undefined;
  readonly signal: AbortSignal;
}

/** Reads the operations that an openapi server offers. Rejects only when the signal is aborted, with its reason. */
export async function readOpenApiList(
  source: OpenApiSource,
  { credential, ...context }: OpenApiListContext,
): Promise<OpenApiReading> {
  try {
    const request = { ...source, credential: goesToDocument(source) ? credential : undefined };
    const text = await fetchDocument(request, context);
    const operations = convertOperations(await parseDocument(text), source);
    context.signal.throwIfAborted();
    return { state: "read", isOpenApi: true, ...operations };
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof DocumentError) {
      return { state: "failed", reason: error.reason, message: error.message };
    }
    if (!(error instanceof UnsupportedError)) throw error;
    return { state: "failed", reason: "InvalidTool", message: error.message };
  }
}

/** A credential is for one origin. Where the entry names a server of another origin than the document's, it is for that one. */
function goesToDocument({ url, server }: OpenApiSource): boolean {
  return server === undefined || URL.parse(server, url)?.origin === URL.parse(url)?.origin;
}
