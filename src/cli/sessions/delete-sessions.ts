/** `omnia sessions delete`: deletes sessions with all that was said in them, once a person has confirmed it. */
import { createInterface } from "node:readline/promises";
import { styled } from "../../observability/terminal/line.ts";
import { printJSON, printLine, printText } from "../../observability/terminal/writer.ts";
import type { SessionFlags } from "../gateway-api/gateway-flags.ts";
import { withGateway } from "../gateway-api/with-gateway.ts";
import { CliError, EXIT_CODES, type ExitCode } from "../terminal/cli-error.ts";
import { counted } from "../terminal/counted.ts";
import { Interrupts } from "../terminal/interrupts.ts";
import type { Streams } from "../terminal/streams.ts";
import { deleteSession, findSession, type FoundSession } from "./agent-sessions.ts";

export interface DeleteFlags extends SessionFlags {
  readonly agent?: string | undefined;
  readonly yes?: boolean | undefined;
}

export async function deleteSessions(
  ids: readonly string[],
  flags: DeleteFlags,
  streams: Streams,
): Promise<ExitCode> {
  const { stdin, stdout, stderr } = streams;
  const isAsked = flags.yes !== true;
  if (isAsked && (stdin.isTTY !== true || stderr.isTTY !== true)) {
    throw new CliError("Nobody can be asked whether the sessions are to be deleted.", {
      cure: "Give --yes to delete them without a question.",
      exitCode: EXIT_CODES.usage,
    });
  }
  return await withGateway(flags, streams, async (api) => {
    const found: FoundSession[] = [];
    // All are found before the first one goes.
    for (const id of new Set(ids)) found.push(await findSession(api, id, flags));
    if (isAsked && !(await isConfirmed(found, streams))) {
      printLine(stderr, "Nothing was deleted.");
      return EXIT_CODES.failed;
    }
    for (const { agent, timeline } of found) {
      const { id } = timeline.session;
      await deleteSession(api, agent, id);
      if (flags.output !== "json") printLine(stdout, styled("green", `Deleted ${id}.`));
    }
    if (flags.output === "json") {
      printJSON(stdout, { deleted: found.map(({ timeline }) => timeline.session.id) });
    }
    return EXIT_CODES.ok;
  });
}

async function isConfirmed(
  found: readonly FoundSession[],
  { stdin, stderr }: Streams,
): Promise<boolean> {
  for (const { agent, timeline } of found) {
    const { id, title, turns } = timeline.session;
    printLine(
      stderr,
      `${id} of ${agent.namespace}/${agent.name}: ${counted(turns, "turn")}, "${title}"`,
    );
  }
  const what = found.length === 1 ? "this session" : `these ${found.length} sessions`;
  printText(stderr, `Delete ${what}, with all that was said? [y/N] `);
  using interrupts = new Interrupts();
  // The terminal itself lets people edit a line.
  const input = createInterface({ input: stdin, terminal: false });
  try {
    for await (const line of untilInterrupted(input, interrupts.signal)) {
      return /^y(es)?$/i.test(line.trim());
    }
    return false;
  } finally {
    input.close();
  }
}

async function* untilInterrupted(
  input: AsyncIterable<string> & { close(): void },
  signal: AbortSignal,
): AsyncGenerator<string> {
  signal.addEventListener("abort", () => input.close(), { once: true });
  yield* input;
  signal.throwIfAborted();
}
