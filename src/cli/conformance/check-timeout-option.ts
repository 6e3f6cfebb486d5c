import { Option } from "commander";
import { durationValue } from "../command-line/option-values.ts";

const CHECK_TIMEOUT_MS = 60_000;
const MIN_CHECK_TIMEOUT_MS = 100;

/** `--timeout`, in milliseconds. */
export function checkTimeoutOption(): Option {
  return new Option("--timeout <duration>", "time for each check")
    .argParser((text) =>
      durationValue(
        text,
        MIN_CHECK_TIMEOUT_MS,
        "It must be a duration of 100ms or more, such as 60s.",
      ),
    )
    .default(CHECK_TIMEOUT_MS, "60s");
}
