import { EXIT_CODES, type ExitCode } from "./cli-error.ts";
import { crdYAML } from "../api/crd.ts";
import type { Streams } from "./streams.ts";

export function crds({ stdout }: Streams): ExitCode {
  stdout.write(crdYAML());
  return EXIT_CODES.ok;
}
