import type { Clock } from "../../time/clock.ts";
import type { GuardedTransport } from "../server/guarded-transport.ts";
import type { ConvertOptions } from "./convert-operations.ts";
import { DocumentConverter } from "./document-converter.ts";
import type { OpenApiReading } from "./openapi-list.ts";
import { DocumentError, type DocumentRequest, fetchDocument } from "./read-document.ts";

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
  const { clock, signal } = context;
  let text: string;
  try {
    const request = { ...source, credential: goesToDocument(source) ? credential : undefined };
    text = await fetchDocument(request, context);
  } catch (error) {
    if (error instanceof DocumentError) return error.reading;
    throw error;
  }
  const { url, server, allow, allowedAddresses, hasCredential } = source;
  const options = { url, server, allow, allowedAddresses, hasCredential };
  const reading = await CONVERTER.convert({ text, options }, clock, signal);
  signal.throwIfAborted();
  return reading;
}

/** One for the whole process, whose memory it is that documents take. */
const CONVERTER = new DocumentConverter();

/** A credential is for one origin. Where the entry names a server of another origin than the document's, it is for that one. */
function goesToDocument({ url, server }: OpenApiSource): boolean {
  return server === undefined || URL.parse(server, url)?.origin === URL.parse(url)?.origin;
}
