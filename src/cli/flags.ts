/** The flags of the commands, as the command line is read. */
import type { OutputFormat } from "./terminal/streams.ts";

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
export interface ConformanceFlags {
  agent?: string;
  namespace?: string;
  token?: string;
  handler: string;
  /** In milliseconds. */
  timeout: number;
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
export interface OperatorFlags {
  namespace?: string[];
  kubeconfig?: string;
  context?: string;
  agentImage?: string;
  agentImagePullPolicy?: "Always" | "IfNotPresent" | "Never";
  leaderElect: boolean;
  leaderElectionNamespace?: string;
  kubeApiQps: number;
  kubeApiBurst: number;
  workers: number;
  resyncMs: number;
  managementPort: number;
}
