/** `omnia sessions ls`: shows the sessions of an agent, those first that were used last. */
import { plainText, styled, type Piece, type Style } from "../../observability/terminal/line.ts";
import { printJSON, printLine } from "../../observability/terminal/writer.ts";
import type { SessionView } from "../../http-api/session-views.ts";
import { costText } from "../../protocol/cost-text.ts";
import { withGateway } from "../gateway-api/with-gateway.ts";
import type { SessionFlags } from "../gateway-api/gateway-flags.ts";
import { EXIT_CODES, type ExitCode } from "../terminal/cli-error.ts";
import type { Streams } from "../terminal/streams.ts";
import { textTable } from "../terminal/text-table.ts";
import { listSessions } from "./agent-sessions.ts";
import { chooseAgent } from "./choose-agent.ts";
import { minute, tokens } from "./shown-values.ts";

export interface ListFlags extends SessionFlags {
  /** Of the sessions. */
  readonly state?: string | undefined;
  readonly limit: number;
}

const STATE_STYLES: Readonly<Record<SessionView["state"], Style | undefined>> = {
  running: "green",
  waiting: "yellow",
  failed: "red",
  idle: undefined,
};

export async function printSessions(
  name: string,
  flags: ListFlags,
  streams: Streams,
): Promise<ExitCode> {
  const { stdout } = streams;
  await withGateway(flags, streams, async (api) => {
    const agent = await chooseAgent(api, name, flags.namespace);
    const filter = { limit: flags.limit, state: flags.state };
    const { sessions, hasMore } = await listSessions(api, agent, filter);
    if (flags.output === "json") {
      printJSON(stdout, { agent: nameOf(agent), items: sessions, hasMore });
      return;
    }
    printLine(stdout, styled("dim", api.where));
    if (sessions.length === 0) {
      const such = flags.state === undefined ? "" : ` that is ${flags.state}`;
      printLine(stdout, `Agent ${agent.namespace}/${agent.name} has no session${such}.`);
      return;
    }
    const [head = "", ...rows] = textTable(sessionRows(sessions));
    printLine(stdout, "");
    printLine(stdout, styled("bold", plainText(head)));
    for (const row of rows) printLine(stdout, row);
    if (hasMore) printLine(stdout, styled("dim", `There are more: --limit shows them.`));
  });
  return EXIT_CODES.ok;
}

function nameOf({ namespace, name }: { namespace: string; name: string }): object {
  return { namespace, name };
}

/** The head and a row for each. The column of costs is there where the cost of a session is known. */
export function sessionRows(sessions: readonly SessionView[]): Piece[][] {
  const hasCosts = sessions.some(({ cost }) => cost !== undefined);
  const costs = hasCosts ? ["COST"] : [];
  return [
    [
      "SESSION",
      "LAST ACTIVE (UTC)",
      "STATE",
      "TURNS",
      "TOOLS",
      "TOKENS",
      ...costs,
      "VERSION",
      "TITLE",
    ],
    ...sessions.map((session) => rowOf(session, hasCosts)),
  ];
}

function rowOf(session: SessionView, hasCosts: boolean): Piece[] {
  const { id, state, turns, toolCalls, packVersion = "-", title, lastActiveAt } = session;
  const style = STATE_STYLES[state];
  return [
    id,
    minute(lastActiveAt),
    style === undefined ? state : { style, text: state },
    String(turns),
    String(toolCalls),
    tokens(session.inputTokens + session.outputTokens),
    ...(hasCosts ? [session.cost === undefined ? "-" : costText(session.cost)] : []),
    packVersion,
    title,
  ];
}
