import { canonicalJSON } from "../promptpack/document/content-hash.ts";

interface Declared {
  readonly metadata: { readonly generation?: number | undefined };
  readonly spec: object;
}

/** Gives the resource a generation that counts the changes of its spec, as an API server does. */
export function withGeneration<R extends Declared>(declared: R, before: R | undefined): R {
  const last = before?.metadata.generation ?? 0;
  const changed =
    before === undefined || canonicalJSON(before.spec) !== canonicalJSON(declared.spec);
  return { ...declared, metadata: { ...declared.metadata, generation: changed ? last + 1 : last } };
}
