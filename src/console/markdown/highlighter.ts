// oxlint-disable-next-line import/default -- the bundler makes this export
import workerAddress from "./highlight-worker.ts?worker&url";
import { systemClock } from "../../time/clock.ts";
import { Highlighter } from "./highlighter-queue.ts";
import { scriptAddress } from "./script-address.ts";

/** The one of the page. */
export const highlighter = new Highlighter({
  clock: systemClock,
  start: () => new Worker(scriptAddress(workerAddress), { type: "module" }),
});
