import { printed } from "../../observability/terminal/writer.ts";
import { systemClock } from "../../time/clock.ts";
import { within } from "../../time/within.ts";
import type { Streams } from "./streams.ts";

/** How long readers of the output have to take the rest of it. */
const PRINT_TIMEOUT_MS = 1_000;

/**
 * Ends the process although an operation on a file has not come back. Node.js would wait for it, in `process.exit` too. So the
 * exit code tells of a signal.
 */
export async function endByForce({ stdout, stderr }: Streams): Promise<void> {
  await within(PRINT_TIMEOUT_MS, Promise.all([printed(stdout), printed(stderr)]), systemClock);
  process.kill(process.pid, "SIGKILL");
}
