/** A real browser without a window, which reaches this machine and nothing else. */
import { join } from "node:path";
import { chromium, type Browser } from "playwright-core";
import { installed } from "../processes/installed.ts";

/** The first time it is fetched, which is about 125 MB. */
const INSTALL_TIMEOUT_MS = 600_000;
const START_TIMEOUT_MS = 60_000;
/** Names of other machines lead nowhere, and addresses too. */
const LOOPBACK_ONLY =
  "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1, EXCLUDE [::1]";

export async function openBrowser(): Promise<Browser> {
  const executablePath = await installed(
    [join(import.meta.dirname, "chromium-install")],
    INSTALL_TIMEOUT_MS,
  );
  return await chromium.launch({
    executablePath,
    // Chromium does not start its sandbox for root, which is who runs the tests in many containers.
    chromiumSandbox: process.getuid?.() !== 0,
    timeout: START_TIMEOUT_MS,
    args: [
      `--host-resolver-rules=${LOOPBACK_ONLY}`,
      // The same picture on every machine.
      "--force-color-profile=srgb",
      "--font-render-hinting=none",
      "--disable-lcd-text",
    ],
  });
}
