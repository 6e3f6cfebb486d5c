/** `omnia sessions show` and `export`: one session, for a person at a terminal, as JSON or as a document. */
import { printFile, printJSON, printLine } from "../../observability/terminal/writer.ts";
import type { SessionFlags } from "../gateway-api/gateway-flags.ts";
import { withGateway } from "../gateway-api/with-gateway.ts";
import { EXIT_CODES, type ExitCode } from "../terminal/cli-error.ts";
import type { Streams } from "../terminal/streams.ts";
import { findSession } from "./agent-sessions.ts";
import { timelineLines } from "./timeline-lines.ts";
import { timelineMarkdown } from "./timeline-markdown.ts";

export interface ShowFlags extends SessionFlags {
  readonly agent?: string | undefined;
}

export interface ExportFlags extends Omit<ShowFlags, "output"> {
  readonly format: "json" | "markdown";
}

export async function showSession(
  id: string,
  flags: ShowFlags,
  streams: Streams,
): Promise<ExitCode> {
  const { stdout } = streams;
  const { agent, timeline } = await withGateway(flags, streams, (api) =>
    findSession(api, id, flags),
  );
  if (flags.output === "json") printJSON(stdout, { agent: nameOf(agent), ...timeline });
  else for (const line of timelineLines(agent, timeline)) printLine(stdout, line);
  return EXIT_CODES.ok;
}

export async function exportSession(
  id: string,
  flags: ExportFlags,
  streams: Streams,
): Promise<ExitCode> {
  const { stdout } = streams;
  const { agent, timeline } = await withGateway(flags, streams, (api) =>
    findSession(api, id, flags),
  );
  if (flags.format === "json") printJSON(stdout, { agent: nameOf(agent), ...timeline });
  else printFile(stdout, timelineMarkdown(agent, timeline));
  return EXIT_CODES.ok;
}

function nameOf({ namespace, name }: { namespace: string; name: string }): object {
  return { namespace, name };
}
