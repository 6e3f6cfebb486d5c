/** The thread of a DocumentConverter: converts one document after the other. */
import { parentPort } from "node:worker_threads";
import { convertDocument } from "./convert-document.ts";
import type { DocumentToConvert } from "./document-converter.ts";

async function answer({ text, options }: DocumentToConvert): Promise<void> {
  const reading = await convertDocument(text, options);
  // oxlint-disable-next-line require-post-message-target-origin -- this is a thread, and no window
  parentPort?.postMessage(reading);
}

parentPort?.on("message", (document: DocumentToConvert) => void answer(document));
