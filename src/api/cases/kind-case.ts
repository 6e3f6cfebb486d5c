/**
 * A manifest, and whether zod (local mode, `omnia validate`) and an API server with the CRDs must take it. The unit tests
 * and `test/integration/kube/api-server.test.ts` read the same tables of cases.
 */
import { API_VERSION, type OmniaKind } from "../group.ts";

export interface KindCase {
  /** Completes a sentence that begins with "takes" or "refuses". */
  readonly name: string;
  readonly manifest: object;
  /** The field to blame; a case without it is taken. */
  readonly refusedAt?: string;
  /** The field that an API server blames, where it is another one. */
  readonly serverRefusesAt?: string;
}

export function manifestOf(kind: OmniaKind, spec: unknown, name: unknown = "support"): object {
  return { apiVersion: API_VERSION, kind, metadata: { name }, spec };
}
