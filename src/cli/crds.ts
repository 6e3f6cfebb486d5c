import { EXIT_CODES, type ExitCode } from "./terminal/cli-error.ts";
import { crdYAML } from "../api/crd.ts";
import type { Streams } from "./terminal/streams.ts";

export function crds({ stdout }: Streams): ExitCode {
  stdout.write(crdYAML());
  return EXIT_CODES.ok;
}
