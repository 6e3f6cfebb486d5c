/** Keywords that judge numbers, and let everything else pass. */
import type { KeywordReader } from "./schema-node.ts";

function bound(
  keyword: string,
  sign: string,
  holds: (value: number, limit: number) => boolean,
): KeywordReader {
  return (limit, { refuse }) => {
    if (typeof limit !== "number") {
      const cure =
        typeof limit === "boolean"
          ? '; write the bound here, in place of "minimum" or "maximum"'
          : "";
      return refuse(`must be a number${cure}`, keyword);
    }
    const message = `must be ${sign} ${limit}`;
    return (value, check) =>
      typeof value !== "number" || holds(value, limit) || check.fail(message);
  };
}

export const readMaximum = bound("maximum", "<=", (value, limit) => value <= limit);
export const readMinimum = bound("minimum", ">=", (value, limit) => value >= limit);
export const readExclusiveMaximum = bound("exclusiveMaximum", "<", (value, limit) => value < limit);
export const readExclusiveMinimum = bound("exclusiveMinimum", ">", (value, limit) => value > limit);

export const readMultipleOf: KeywordReader = (divisor, { refuse }) => {
  if (typeof divisor !== "number" || divisor <= 0) {
    return refuse("must be a number greater than 0", "multipleOf");
  }
  return (value, check) =>
    typeof value !== "number" ||
    Number.isInteger(value / divisor) ||
    check.fail(`must be multiple of ${divisor}`);
};
