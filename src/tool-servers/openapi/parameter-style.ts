import type { OperationParameter, ParameterStyle } from "../../agent-config/openapi-operation.ts";
import type { JSONObject } from "./openapi-document.ts";

const STYLES_IN: Readonly<
  Record<OperationParameter["in"], readonly [ParameterStyle, ...ParameterStyle[]]>
> = {
  path: ["simple", "label", "matrix"],
  query: ["form", "spaceDelimited", "pipeDelimited", "deepObject"],
  header: ["simple"],
  cookie: ["form"],
};

/** How a parameter is written. A style that its place does not have counts as none, and then the first of its place is meant. */
export function readStyle(
  { style, explode }: JSONObject,
  where: OperationParameter["in"],
): { style: ParameterStyle; explode: boolean } {
  const styles = STYLES_IN[where];
  const known = styles.find((each) => each === style) ?? styles[0];
  return { style: known, explode: typeof explode === "boolean" ? explode : known === "form" };
}
