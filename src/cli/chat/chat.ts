/** `omnia chat`: one message, the lines of a pipe, or a conversation at the terminal. */
import { randomUUID } from "node:crypto";
import { systemClock } from "../../time/clock.ts";
import { ClientError } from "../../protocol/client/client-error.ts";
import type { AnswerFrame } from "../../protocol/frames.ts";
import { SessionClient, type TurnEnd } from "../../protocol/client/session-client.ts";
import { chatAddress, DEFAULT_CHAT_URL, shownAddress, type ChatTarget } from "./address.ts";
import { pipedMessages } from "./input.ts";
import { chatPrinter } from "./printer.ts";
import { chatTransport } from "./transport.ts";
import { CliError, EXIT_CODES, type ExitCode } from "../terminal/cli-error.ts";
import { commandLine } from "../terminal/program-name.ts";
import { Interrupts } from "../terminal/interrupts.ts";
import { findLocal } from "../../local/state/find-local.ts";
import type { OutputFormat, Streams } from "../terminal/streams.ts";
import { readToken, type TokenFlags } from "../terminal/token.ts";

export interface ChatFlags extends Pick<TokenFlags, "tokenFile"> {
  readonly namespace?: string | undefined;
  readonly url?: string | undefined;
  readonly message?: string | undefined;
  readonly session?: string | undefined;
  /** Ids of calls. */
  readonly approve?: readonly string[] | undefined;
  readonly deny?: readonly string[] | undefined;
  readonly output: OutputFormat;
}

export async function chat(name: string, flags: ChatFlags, streams: Streams): Promise<ExitCode> {
  if (flags.message?.trim() === "") {
    throw new CliError("-m: the message is empty.", { exitCode: EXIT_CODES.usage });
  }
  const answers = answersOf(flags);
  if (answers.length > 0 && (flags.session === undefined || flags.message !== undefined)) {
    throw new CliError("--approve and --deny go with --session, and without -m.", {
      exitCode: EXIT_CODES.usage,
    });
  }
  const target = readTarget(name, flags.namespace);
  const local = flags.url === undefined ? await findLocal({ env: streams.env }) : undefined;
  const url = chatAddress(flags.url ?? local?.url ?? DEFAULT_CHAT_URL, target);
  const interactive =
    flags.message === undefined && answers.length === 0 && streams.stdin.isTTY === true;
  let token = await readToken(flags, streams);
  const printer = chatPrinter(flags.output, streams, { interactive });
  using interrupts = new Interrupts();
  const { signal } = interrupts;

  let client: SessionClient | undefined;
  try {
    client = await SessionClient.connect(
      {
        url: url.href,
        transport: chatTransport(local?.token),
        // A file may hold a fresh token by the time that the one before is no longer accepted.
        token: async (isRefused) => {
          if (isRefused) token = await readToken(flags, streams);
          return token;
        },
        clock: systemClock,
        random: Math.random,
        newMessageId: randomUUID,
        sessionId: flags.session,
        // Answers to other clients that talk in the same session are not shown.
        onFrame: (frame, text, isOwn) => printer.frame(isOwn ? frame : undefined, text),
        onOpeningLate: ({ message }) => printer.note(`${message} Trying again…`),
        onHeldUp: (state) =>
          printer.note(
            state === "lost" ? "The connection was lost; connecting again…" : "Connected again.",
          ),
      },
      signal,
    );
    const connected = client;
    interrupts.firstAsk(() => connected.cancel());
    if (interactive) {
      const { converse } = await import("./interactive-chat.ts");
      await converse({
        client,
        printer,
        streams,
        interrupts,
        title: `${target.agent} at ${shownAddress(url)}`,
        format: flags.output,
      });
      return EXIT_CODES.ok;
    }
    const ends =
      answers.length > 0
        ? sendAnswers(client, answers, signal)
        : sendMessages(
            client,
            flags.message === undefined ? pipedMessages(streams.stdin) : [flags.message],
            signal,
          );
    const exitCode = await exitCodeOf(ends);
    for (const { id } of client.openRequests) {
      const again = `${commandLine("chat")} ${name} --session ${client.sessionId}`;
      printer.note(`A call waits for an answer: ${again} --approve ${id}, or --deny ${id}`);
    }
    return exitCode;
  } catch (error) {
    throw error instanceof ClientError ? asCliError(error, flags) : error;
  } finally {
    client?.close();
    // Otherwise a pipe that stays open would keep the process alive.
    if (!interactive) streams.stdin.destroy();
  }
}

function answersOf({ approve = [], deny = [] }: ChatFlags): AnswerFrame[] {
  return [
    ...approve.map((id): AnswerFrame => ({ type: "approve", id })),
    ...deny.map((id): AnswerFrame => ({ type: "deny", id })),
  ];
}

/** Sends every message, gives how its turn has ended, and goes on when that was looked at. */
async function* sendMessages(
  client: SessionClient,
  messages: Iterable<string> | AsyncIterable<string>,
  signal: AbortSignal,
): AsyncGenerator<TurnEnd> {
  for await (const message of messages) yield await client.turn(message, signal);
}

async function* sendAnswers(
  client: SessionClient,
  answers: readonly AnswerFrame[],
  signal: AbortSignal,
): AsyncGenerator<TurnEnd> {
  await client.caughtUp(signal);
  const end = await client.answer(answers, signal);
  if (end === undefined) await client.caughtUp(signal);
  else yield end;
}

async function exitCodeOf(ends: AsyncIterable<TurnEnd>): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT_CODES.ok;
  for await (const end of ends) {
    if (end.type === "error") exitCode = EXIT_CODES.failed;
    // Another message would count as a denial of the calls that wait.
    else if (end.finishReason === "cancelled" || end.finishReason === "awaiting_approval") {
      return EXIT_CODES.failed;
    }
  }
  return exitCode;
}

/** Reads NAME, or NAMESPACE/NAME as lists of agents show it. */
function readTarget(name: string, namespace: string | undefined): ChatTarget & { agent: string } {
  const [first = "", second, ...more] = name.split("/");
  const target =
    second === undefined ? { agent: first, namespace } : { agent: second, namespace: first };
  const contradicts = second !== undefined && namespace !== undefined && namespace !== first;
  if (target.agent === "" || target.namespace === "" || more.length > 0 || contradicts) {
    throw new CliError(
      `${JSON.stringify(name)}${contradicts ? ` with -n ${namespace}` : ""} names no agent.`,
      {
        cure: "Give NAME or NAMESPACE/NAME.",
        exitCode: EXIT_CODES.usage,
      },
    );
  }
  return target;
}

function asCliError(error: ClientError, flags: ChatFlags): CliError {
  // The token could not be read.
  if (error.cause instanceof CliError) return error.cause;
  return new CliError(error.message, { cure: cureOf(error, flags), cause: error });
}

function cureOf({ code }: ClientError, { url }: ChatFlags): string | undefined {
  switch (code) {
    case "unreachable":
      return url === undefined
        ? `Start agents with \`${commandLine("up")}\`, or say where they are with --url.`
        : `Is the address right? \`${commandLine("up")}\` starts agents on this machine.`;
    case "unauthorized":
      return "Put a valid token or key into the environment variable OMNIA_TOKEN, or name a file that holds it with --token-file.";
    case "session-not-found":
      return "Leave --session out to begin a new one.";
    case "refused":
    case "protocol":
    case "too-large":
    case "timeout":
    case "closed":
      return undefined;
  }
}
