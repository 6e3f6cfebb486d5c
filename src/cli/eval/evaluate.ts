/** `omnia eval`: the evals of a pack over scripted conversations, live or recorded. */
import type { ScriptedConversation } from "../../evals/conversation/read-conversations.ts";
import { judgementKey, newRecording } from "../../evals/conversation/recording.ts";
import type { TurnRecord } from "../../evals/conversation/transcript.ts";
import { summaryOf, type ConversationResult, type EvalRun } from "../../evals/run/eval-result.ts";
import { inParallel } from "../../evals/run/in-parallel.ts";
import { planEvals, planExpectations, type EvalPlan } from "../../evals/run/plan-evals.ts";
import { runConversation } from "../../evals/run/run-conversation.ts";
import { PatientFiles } from "../../local/manifests/patient-files.ts";
import { SecretValues } from "../../observability/secrets/secret-values.ts";
import { withoutSecrets } from "../../observability/secrets/without-secrets.ts";
import { printLine } from "../../observability/terminal/writer.ts";
import { systemClock } from "../../time/clock.ts";
import { Deadline } from "../../time/deadline.ts";
import { untilAborted } from "../../time/until-aborted.ts";
import { CliError, EXIT_CODES, type ExitCode } from "../terminal/cli-error.ts";
import { endByForce } from "../terminal/end-by-force.ts";
import { Interrupts } from "../terminal/interrupts.ts";
import type { Streams } from "../terminal/streams.ts";
import { checkFlags, type EvalFlags } from "./flags.ts";
import { openSource, type AnswerSource } from "./answer-source.ts";
import { findPack, type JudgedPack } from "./find-pack.ts";
import { EvalProgress } from "./progress.ts";
import { readScript, readSources } from "./read-files.ts";
import { makeRecordingsFolder, saveRecording } from "./recordings.ts";
import { report } from "./report.ts";

export async function evaluate(flags: EvalFlags, streams: Streams): Promise<ExitCode> {
  checkFlags(flags);
  using interrupts = new Interrupts();
  const { signal } = interrupts;
  const files = new PatientFiles(systemClock, signal);
  const secrets = new SecretValues();
  const hide = (text: string): string => withoutSecrets(secrets.hide(text));
  const tell = (line: string): void => printLine(streams.stderr, line);
  const isElsewhere = flags.url !== undefined;
  const sources = await readSources(flags.filename, files, tell);
  const pack = findPack(sources, { ...flags, isElsewhere }, streams.env);
  const script = (await readScript(flags.conversations, files, tell)).map((conversation) => ({
    ...conversation,
    variables: { ...pack.variables, ...conversation.variables },
  }));
  const plan = planOf(pack, script, flags);
  if (plan.evals.length + plan.notRun.length === 0 && script.every(expectsNothing)) {
    throw new CliError("There is nothing to judge.", {
      cure: "The pack has no evals that are switched on and in these groups, and no turn expects anything.",
    });
  }
  if (flags.record !== undefined) await makeRecordingsFolder(flags.record);
  await using source = await openSource(flags, pack, {
    streams,
    files,
    secrets,
    signal,
  });
  const progress = new EvalProgress(streams.stderr, script.length);
  let conversations: ConversationResult[];
  try {
    conversations = await inParallel(script, flags.jobs, async (conversation) => {
      const result = await hold(conversation, { plan, source, flags, pack, secrets, signal });
      progress.add(result);
      return result;
    });
  } finally {
    progress.end();
  }
  const run = withHidden({ conversations, notRun: plan.notRun }, hide);
  const summary = summaryOf(run, { allowsUnknown: flags.allowUnknown === true });
  const { document, semver, hash } = pack.version;
  const about = { pack: document.id, version: semver, hash, prompt: pack.prompt };
  await report({ run, summary, about }, flags, streams);
  const stale = source.stale?.() ?? 0;
  if (stale > 0) {
    const recordings = stale === 1 ? "1 recording is" : `${stale} recordings are`;
    printLine(
      streams.stderr,
      `${recordings} of another content of the pack: what it says now was not asked. Record again with --record.`,
    );
  }
  if (files.isHanging) await endByForce(streams);
  return summary.ok ? EXIT_CODES.ok : EXIT_CODES.failed;
}

function planOf(
  { version, prompt }: JudgedPack,
  script: readonly ScriptedConversation[],
  { group, sampled = false }: EvalFlags,
): EvalPlan {
  const ofPack = planEvals(version.document, { prompt, groups: group, isSampled: sampled });
  const expected = script.flatMap(({ id, turns }) =>
    turns.flatMap(
      ({ expect }, index) => planExpectations(expect, `${id}, turn ${index + 1}`).notRun,
    ),
  );
  return { evals: ofPack.evals, notRun: [...ofPack.notRun, ...expected] };
}

function expectsNothing({ turns }: ScriptedConversation): boolean {
  return turns.every(({ expect }) => expect.length === 0);
}

interface HoldOptions {
  readonly plan: EvalPlan;
  readonly source: AnswerSource;
  readonly flags: EvalFlags;
  readonly pack: JudgedPack;
  readonly secrets: SecretValues;
  readonly signal: AbortSignal;
}

async function hold(
  script: ScriptedConversation,
  { plan, source, flags, pack, secrets, signal }: HoldOptions,
): Promise<ConversationResult> {
  const judgements: Record<string, string> = {};
  const began = systemClock.monotonic();
  const keep = async (turns: readonly TurnRecord[], failure: string | undefined): Promise<void> => {
    if (flags.record === undefined) return;
    const { document, hash, semver } = pack.version;
    const recording = newRecording({
      id: script.id,
      ...(flags.url === undefined && {
        pack: { hash, version: `${document.id} ${semver}`, prompt: pack.prompt },
      }),
      ...(source.model !== undefined && { model: source.model }),
      turns: [...turns],
      ...(failure !== undefined && { failure }),
      judgements,
    });
    await saveRecording(flags.record, recording, (text) => secrets.hide(text));
  };
  try {
    const { talk, ask } = await source.open(script, signal);
    await using _talk = talk;
    return await runConversation(script, {
      evals: plan.evals,
      turn: (message) => inTime(flags, signal, (own) => talk.turn(message, own)),
      ask:
        ask &&
        (async (request) => {
          const answer = await inTime(flags, signal, (own) => ask(request, own));
          // A replay judges what was recorded, which has no secrets any more.
          const recorded = { ...request, content: secrets.hide(request.content) };
          judgements[judgementKey(recorded)] = answer;
          return answer;
        }),
      clock: systemClock,
      signal,
      onEnd: keep,
    });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CliError) throw error;
    const failure = error instanceof Error ? error.message : String(error);
    // A recording of an earlier run must not stand for this one.
    await keep([], failure);
    const durationMs = Math.round(systemClock.monotonic() - began);
    return { id: script.id, failure, turns: 0, durationMs, checks: [] };
  }
}

/** Rejects with a sentence for people when the time for an answer is over. */
async function inTime<T>(
  { timeout }: EvalFlags,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  using deadline = new Deadline({ ms: timeout, clock: systemClock, signal });
  try {
    return await untilAborted(work(deadline.signal), deadline.signal);
  } catch (error) {
    if (!deadline.isOver) throw error;
    throw new Error(`no answer came within ${timeout / 1_000} s`, { cause: error });
  }
}

function withHidden({ conversations, notRun }: EvalRun, hide: (text: string) => string): EvalRun {
  return {
    notRun,
    conversations: conversations.map((conversation) => ({
      ...conversation,
      failure: conversation.failure === undefined ? undefined : hide(conversation.failure),
      checks: conversation.checks.map((check) => ({ ...check, message: hide(check.message) })),
    })),
  };
}
