/**
 * Waits for a condition give up after this time unless they say another. A second, which is Vitest's, is too short for a busy
 * machine; a test that passes never waits for so long. Vitest has a setting for `expect.poll` alone.
 */
import { vi } from "vitest";

const PATIENCE_MS = 25_000;

type Options = Parameters<typeof vi.waitFor>[1];

function patient(options: Options): Options {
  return typeof options === "number" ? options : { timeout: PATIENCE_MS, ...options };
}

/** Files that share a process share what they wait with: it is made patient once. */
const isPatient = Symbol.for("omnia.tests.patient");

if (!(isPatient in vi)) {
  const { waitFor, waitUntil } = vi;
  Object.assign(vi, {
    waitFor: ((callback, options) => waitFor(callback, patient(options))) satisfies typeof waitFor,
    waitUntil: ((callback, options) =>
      waitUntil(callback, patient(options))) satisfies typeof waitUntil,
    [isPatient]: true,
  });
}
