import type { OpenApiOperation } from "../../agent-config/openapi-operation.ts";
import type { KnownList } from "../../tool-servers/lists/known-list.ts";
import { MAX_OPERATIONS_BYTES } from "../../tool-servers/server/limits.ts";
import { isOpenApiList } from "../../tool-servers/openapi/openapi-list.ts";

const KIBIBYTE = 1024;

/** Hands the operations of a registry's openapi servers to the configs of agents, as long as they fit into one together. */
export class ServerOperations {
  #bytesLeft = MAX_OPERATIONS_BYTES;

  /** The list, or why it is not taken. */
  fitting(list: KnownList | undefined): KnownList | undefined {
    const operations = operationsOf(list);
    if (operations === undefined) return list;
    const bytes = Buffer.byteLength(JSON.stringify(operations));
    if (bytes <= this.#bytesLeft) {
      this.#bytesLeft -= bytes;
      return list;
    }
    const message = `its operations take ${Math.ceil(bytes / KIBIBYTE)} KiB, and those of a registry may take ${MAX_OPERATIONS_BYTES / KIBIBYTE} KiB together; allow fewer of them, or put them into another registry`;
    return { state: "failed", reason: "InvalidTool", message, before: undefined };
  }
}

/** What agents are told of the operations of an openapi server. `undefined` for other servers, and while its document was not read. */
export function operationsOf(list: KnownList | undefined): readonly OpenApiOperation[] | undefined {
  const read = list?.state === "failed" ? list.before : list;
  return read !== undefined && isOpenApiList(read) ? read.tools : undefined;
}
