/**
 * A manifest and what must become of it: by zod (local mode, `omnia validate`) and by an API server with the CRDs. The
 * tables of cases are read by the unit tests and by `test/integration/kube/api-server.test.ts`.
 */
import { API_VERSION, type OmniaKind } from "../group.ts";

export interface KindCase {
  /** Goes on after "takes" or "refuses". */
  readonly name: string;
  readonly manifest: object;
  /** The field to blame; a case without it is taken. */
  readonly refusedAt?: string;
  /** Where an API server blames another field for the same. */
  readonly serverRefusesAt?: string;
}

export function manifestOf(kind: OmniaKind, spec: unknown, name: unknown = "support"): object {
  return { apiVersion: API_VERSION, kind, metadata: { name }, spec };
}
