/**
 * A rule over several fields, written once for both that enforce it: an API server (CEL in the CRD) and zod (local mode,
 * `omnia validate`). The manifests in `api/cases` keep the two in step: a unit test puts each of them to zod, and an
 * integration test to a real API server.
 */
import type { z } from "zod";

export interface Rule<T> {
  /**
   * For the API server. Guard every optional field by has(): objects that were stored before the rule existed must
   * stay changeable, or their deletion hangs.
   */
  readonly cel: string;
  /** The same for zod. */
  readonly holds: (value: T) => boolean;
  /** The field to blame, below the value that carries the rule. */
  readonly path?: readonly string[];
  /** What is wrong and the cure; never holds a value. */
  readonly message: string;
  readonly reason?: "FieldValueInvalid" | "FieldValueForbidden" | "FieldValueRequired";
}

/** Adds `rules` to `schema`; its metadata stay. */
export function withRules<S extends z.ZodType>(schema: S, rules: readonly Rule<z.output<S>>[]): S {
  let ruled: S = schema;
  for (const rule of rules) {
    const reads = readPaths(rule.cel);
    ruled = ruled.refine(rule.holds as (value: unknown) => boolean, {
      message: rule.message,
      path: [...(rule.path ?? [])],
      // zod would skip every rule of an object with one bad field. A rule is skipped only where a field that it reads
      // is bad itself, so that one look shows every problem.
      when: ({ issues }) =>
        !issues.some(
          (issue) =>
            issue.code !== "unrecognized_keys" &&
            reads.some((read) => (issue.path ?? []).every((key, index) => key === read[index])),
        ),
    });
  }
  return ruled.meta({
    "x-kubernetes-validations": rules.map(({ cel, message, path, reason }) => ({
      rule: cel,
      message,
      ...(path !== undefined && path.length > 0 ? { fieldPath: `.${path.join(".")}` } : {}),
      ...(reason === undefined ? {} : { reason }),
    })),
  });
}

/** The fields that an expression reads: `has(self.a.b)` reads ["a", "b"], `self > 0` reads []. */
function readPaths(cel: string): string[][] {
  return [...cel.matchAll(/\bself((?:\.[A-Za-z]+)*)/g)].map(([, fields]) =>
    (fields ?? "").split(".").slice(1),
  );
}
