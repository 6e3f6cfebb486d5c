import { convertOperations, type ConvertOptions } from "./convert-operations.ts";
import { UnsupportedError } from "./openapi-document.ts";
import type { OpenApiReading } from "./openapi-list.ts";
import { DocumentError, parseDocument } from "./read-document.ts";

/** What the text of a document offers. */
export async function convertDocument(
  text: string,
  options: ConvertOptions,
): Promise<OpenApiReading> {
  try {
    const operations = convertOperations(await parseDocument(text), options);
    return { state: "read", isOpenApi: true, ...operations };
  } catch (error) {
    if (error instanceof DocumentError) return error.reading;
    if (!(error instanceof UnsupportedError)) throw error;
    return { state: "failed", reason: "InvalidTool", message: error.message };
  }
}
