/** The thread of a PackParser: parses one text after the other. */
import { parentPort } from "node:worker_threads";
import { parsePromptPack } from "../../promptpack/check/parse-prompt-pack.ts";

parentPort?.on("message", (text: string) => {
  // oxlint-disable-next-line require-post-message-target-origin -- this is a thread, and no window
  parentPort?.postMessage(parsePromptPack(text));
});
