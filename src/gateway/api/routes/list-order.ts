/** In which order lists come, and what their search finds. */
import type { ExplainView } from "../../../http-api/resource-views.ts";
import type { SortKey } from "../requests/paging.ts";

interface Listed {
  readonly namespace: string;
  readonly name: string;
  readonly explain?: ExplainView | undefined;
}

/** What needs somebody comes first, then what is on trial. */
export function sortKeyOf({ explain, namespace, name }: Listed, isOnTrial: boolean): SortKey {
  return [explain !== undefined ? 0 : isOnTrial ? 1 : 2, namespace, name];
}

/** Whether the text is a part of `namespace/name`, or of one of the other texts. Upper and lower case make no difference. */
export function isNamed(
  { namespace, name }: Listed,
  search: string | undefined,
  ...others: readonly (string | undefined)[]
): boolean {
  const wanted = search?.trim().toLowerCase() ?? "";
  return [`${namespace}/${name}`, ...others].some(
    (text) => text?.toLowerCase().includes(wanted) === true,
  );
}
