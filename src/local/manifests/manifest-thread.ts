/** The thread of a ManifestParser: parses one text after the other. */
import { parentPort } from "node:worker_threads";
import { parseManifests } from "../../api/manifest/manifest.ts";
import { toPlain, type ManifestText } from "./plain-manifests.ts";

parentPort?.on("message", ({ text, file }: ManifestText) => {
  // oxlint-disable-next-line require-post-message-target-origin -- this is a thread, and no window
  parentPort?.postMessage(toPlain(parseManifests(text, file)));
});
