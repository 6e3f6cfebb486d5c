/** The flags of the commands, as the command line is read. */
import type { OutputFormat } from "./streams.ts";

export interface UpFlags {
  filename?: string[];
  port: number;
  host: string;
  state?: string;
  open: boolean;
}
export interface ChatFlags {
  namespace?: string;
  url?: string;
  message?: string;
  session?: string;
  output: OutputFormat;
}
export interface ValidateFlags {
  filename: string[];
  output: OutputFormat;
}
export interface StatusFlags {
  namespace?: string;
  state?: string;
  output: OutputFormat;
}
export type ExplainFlags = StatusFlags;
