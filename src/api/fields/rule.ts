/**
 * A rule over several fields, written side by side for the two that enforce it: an API server (CEL in the CRD) and zod (local
 * mode, `omnia validate`). The manifests in `src/api/cases` keep both forms alike: a unit test gives each of them to zod, and an
 * integration test gives each to a real API server.
 */
import type { z } from "zod";

export interface Rule<T> {
  /**
   * The rule in CEL, for the API server. Guard every optional field by has(): reading an absent field is an error, and then the
   * API server would refuse every change to an object that was stored before the rule existed, even the end of its deletion.
   */
  readonly cel: string;
  /** The same rule for zod. */
  readonly holds: (value: T) => boolean;
  /** The path of the field to blame, from the value that carries the rule. */
  readonly path?: readonly string[];
  /** Says what is wrong and how to cure it. Never quotes a value. */
  readonly message: string;
  readonly reason?: "FieldValueInvalid" | "FieldValueForbidden" | "FieldValueRequired";
}

/** Adds `rules` to `schema`, which keeps its metadata. */
export function withRules<S extends z.ZodType>(schema: S, rules: readonly Rule<z.output<S>>[]): S {
  let ruled: S = schema;
  for (const rule of rules) {
    const reads = readPaths(rule.cel);
    ruled = ruled.refine(rule.holds as (value: unknown) => boolean, {
      message: rule.message,
      path: [...(rule.path ?? [])],
      // zod would skip every rule of an object that has one bad field. Here a rule is skipped only when a field that it reads,
      // or something around that field, is bad, so that users see as many problems as possible at once.
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

/** The paths that an expression reads: `has(self.a.b)` reads ["a", "b"], and `self > 0` reads []. */
function readPaths(cel: string): string[][] {
  return [...cel.matchAll(/\bself((?:\.[A-Za-z]+)*)/g)].map(([, fields]) =>
    (fields ?? "").split(".").slice(1),
  );
}
