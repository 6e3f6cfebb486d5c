import type { OpenApiOperation } from "../../agent-config/openapi-operation.ts";
import type { ListReading } from "../server/read-list.ts";

/** A list whose tools have the plans of their requests. */
export type OpenApiList = Extract<ListReading, { state: "read" }> & {
  readonly tools: readonly OpenApiOperation[];
  readonly isOpenApi: true;
};

export type OpenApiReading = OpenApiList | Extract<ListReading, { state: "failed" }>;

export function isOpenApiList(list: ListReading): list is OpenApiList {
  return "isOpenApi" in list;
}
