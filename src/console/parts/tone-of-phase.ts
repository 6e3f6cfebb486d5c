import type { Tone } from "./tone.ts";

/** How a phase of a resource looks. `hasCause`: something about it is not as it should be. */
export function toneOfPhase(phase: string, hasCause: boolean): Tone {
  switch (phase) {
    case "Running":
    case "Active":
    case "Ready":
    case "Canary":
      return hasCause ? "warn" : "good";
    case "Failed":
      return "bad";
    case "Degraded":
      return "warn";
    default:
      return hasCause ? "warn" : "quiet";
  }
}
