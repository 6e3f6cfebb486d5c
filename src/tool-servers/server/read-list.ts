import type { ListedTool, ToolServer } from "./tool-server.ts";

/** What a server has and no model can be offered. */
export interface UnsupportedTool {
  readonly name: string;
  /** It goes on behind the name of the tool, and has the cure where there is one. */
  readonly reason: string;
}

/** What came of reading the list of a server's tools. */
export type ListReading =
  | {
      readonly state: "read";
      readonly tools: readonly ListedTool[];
      readonly unsupported: readonly UnsupportedTool[];
    }
  | {
      readonly state: "failed";
      readonly reason: "Unreachable" | "InvalidTool";
      /** It names no secret, and what is to be done. */
      readonly message: string;
    };

/** A server that is asked for its list, unlike one whose tools are all in the config. */
export interface ListingServer extends ToolServer {
  /** Asks now, and waits for the answer. Rejects only when the signal is aborted. */
  readList(signal: AbortSignal): Promise<ListReading>;
}
