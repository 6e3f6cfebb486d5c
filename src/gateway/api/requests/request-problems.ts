/** Says of a request what is wrong in it, where, and what would be right. */
import type { z } from "zod";

type Issue = z.core.$ZodIssue;

/** How the parts of a request are called where the whole of one is wrong. */
const PARTS: Readonly<Record<string, string>> = {
  json: "the body",
  query: "the query",
  param: "the path",
  header: "the headers",
};

const TYPES: Readonly<Record<string, string>> = {
  object: "an object",
  record: "an object",
  array: "a list",
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
};

/** One sentence for each problem, without a full stop at the end. `part` is the target of the validator. */
export function requestProblems(issues: readonly Issue[], part: string): string {
  return issues.map((issue) => `${placeOf(issue, part)} ${wrongIn(issue)}`).join("; ");
}

function placeOf({ path }: Issue, part: string): string {
  const place = path.map(String).join(".");
  return place === "" ? (PARTS[part] ?? part) : place;
}

function wrongIn(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return `has to be ${TYPES[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `has to be one of: ${issue.values.map(String).join(", ")}`;
    case "unrecognized_keys":
      return `has fields that nobody reads, and that have to go: ${issue.keys.join(", ")}`;
    case "too_small":
      return `has to ${bound(issue.origin, "at least", issue.minimum)}`;
    case "too_big":
      return `has to ${bound(issue.origin, "at most", issue.maximum)}`;
    case "invalid_format":
    case "custom":
      // The schemas of these say it in words of their own, as the end of the sentence.
      return issue.message;
    case "not_multiple_of":
      return `has to be a multiple of ${issue.divisor}`;
    case "invalid_union":
    case "invalid_key":
    case "invalid_element":
      return "is of no form that is known";
  }
}

function bound(origin: string, which: string, limit: number | bigint): string {
  switch (origin) {
    case "string":
      return `have ${which} ${limit} characters`;
    case "array":
    case "set":
      return `have ${which} ${limit} items`;
    default:
      return `be ${which} ${limit}`;
  }
}
