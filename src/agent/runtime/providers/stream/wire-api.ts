import { textIn, type Fields } from "./json-fields.ts";

/** The APIs of model servers that have streams of their own. */
export type WireAPI = "chat" | "responses" | "anthropic" | "google";

/** The API that an event is plainly of. */
export function apiOfEvent(event: Fields): WireAPI | undefined {
  if (Array.isArray(event["choices"])) return "chat";
  if (Array.isArray(event["candidates"])) return "google";
  const type = textIn(event["type"]) ?? "";
  if (/^(message_start|content_block_(start|delta))$/.test(type)) return "anthropic";
  return /^response\.(created|in_progress|output_)/.test(type) ? "responses" : undefined;
}
