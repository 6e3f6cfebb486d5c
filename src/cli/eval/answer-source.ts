/** Where the answers of a run come from: a model, an agent at an address, or recordings. */
import { randomBytes } from "node:crypto";
import type { RuntimeHandler } from "../../agent/runtime/runtime-handler.ts";
import { newSessionId } from "../../agent/sessions/session-id.ts";
import type { ScriptedConversation } from "../../evals/conversation/read-conversations.ts";
import type { JudgeRequest } from "../../evals/conversation/recording.ts";
import type { AskModel } from "../../evals/judges/judge.ts";
import type { Talk } from "../../evals/run/run-conversation.ts";
import type { PatientFiles } from "../../local/manifests/patient-files.ts";
import { createLog } from "../../observability/log.ts";
import type { SecretValues } from "../../observability/secrets/secret-values.ts";
import { printLine } from "../../observability/terminal/writer.ts";
import { systemClock } from "../../time/clock.ts";
import { chatAddress } from "../chat/address.ts";
import { CliError, EXIT_CODES } from "../terminal/cli-error.ts";
import type { Streams } from "../terminal/streams.ts";
import { readToken } from "../terminal/token.ts";
import { addressTalk } from "./address-talk.ts";
import type { JudgedPack } from "./find-pack.ts";
import type { EvalFlags } from "./flags.ts";
import { handlerTalk } from "./handler-talk.ts";
import { prepareAgent, type PreparedAgent } from "./prepare-agent.ts";
import { checkRecordingsFolder, loadRecording, replayedJudge, replayedTalk } from "./recordings.ts";
import { decideRegistries } from "./tool-registries.ts";

export interface AnswerSource extends AsyncDisposable {
  open(
    script: ScriptedConversation,
    signal: AbortSignal,
  ): Promise<{ readonly talk: Talk; readonly ask: AskModel | undefined }>;
  readonly model: string | undefined;
  /** How many recordings are of other content than that of the pack. */
  readonly stale?: () => number;
}

interface SourceOptions {
  readonly streams: Streams;
  readonly files: PatientFiles;
  readonly secrets: SecretValues;
  readonly signal: AbortSignal;
}

/** Rejects with a CliError when nobody could answer. */
export async function openSource(
  flags: EvalFlags,
  pack: JudgedPack,
  options: SourceOptions,
): Promise<AnswerSource> {
  const { replay } = flags;
  if (replay !== undefined) {
    await checkRecordingsFolder(replay, options.files);
    let stale = 0;
    return {
      model: undefined,
      stale: () => stale,
      async open({ id }) {
        const recording = await loadRecording(replay, id, options.files);
        const { hash } = recording?.pack ?? {};
        if (hash !== undefined && hash !== pack.version.hash) stale += 1;
        return { talk: replayedTalk(recording), ask: replayedJudge(recording) };
      },
      async [Symbol.asyncDispose]() {},
    };
  }
  if (pack.frameworkAgent !== undefined && flags.url === undefined) {
    throw new CliError(
      `AgentRuntime ${pack.frameworkAgent} runs in another framework, which is not started here.`,
      { cure: "Start it with `omnia up`, and give its address with --url." },
    );
  }
  const model = await openModel(pack, options);
  if (flags.url !== undefined) return await sourceAtAddress(flags, flags.url, model, options);
  if (model === undefined) {
    throw new CliError("Nothing says which model is to answer.", {
      cure: "Give --provider and --model, manifests with an agent, --url of an agent, or --replay.",
      exitCode: EXIT_CODES.usage,
    });
  }
  const { agent, handler } = model;
  return {
    model: agent.model,
    async open({ variables }) {
      const config = await agent.configWith(variables);
      return {
        talk: handlerTalk({ handler, config, newId, clock: systemClock }),
        ask: judgeBy(model, flags),
      };
    },
    [Symbol.asyncDispose]: () => handler.close(),
  };
}

async function sourceAtAddress(
  flags: EvalFlags,
  url: string,
  model: OpenModel | undefined,
  { streams, secrets }: SourceOptions,
): Promise<AnswerSource> {
  const address = chatAddress(url, { agent: flags.agent, namespace: flags.namespace });
  const token = await readToken(flags, streams);
  if (token !== undefined) secrets.add(token);
  return {
    model: undefined,
    async open({ variables }, signal) {
      const [name] = Object.keys(variables);
      if (name !== undefined) {
        throw new Error(`an agent at an address takes no variables, and it has "${name}"`);
      }
      const talk = await addressTalk({
        url: address.href,
        token,
        clock: systemClock,
        random: Math.random,
        signal,
      });
      return { talk, ask: model && judgeBy(model, flags) };
    },
    async [Symbol.asyncDispose]() {
      await model?.handler.close();
    },
  };
}

interface OpenModel {
  readonly agent: PreparedAgent;
  readonly handler: RuntimeHandler;
}

async function openModel(
  pack: JudgedPack,
  { streams, secrets, signal }: SourceOptions,
): Promise<OpenModel | undefined> {
  const { agent: declared } = pack;
  if (declared === undefined) return undefined;
  const { toolRegistryRef } = declared.spec;
  const { namespace } = declared.metadata;
  const registries = await decideRegistries(pack.world, {
    clock: systemClock,
    random: Math.random,
    signal,
    registry: toolRegistryRef?.name
      ? { name: toolRegistryRef.name, namespace: toolRegistryRef.namespace ?? namespace }
      : undefined,
  });
  const agent = await prepareAgent(
    { ...pack, agent: declared },
    registries,
    (secret) => secrets.add(secret),
    () => systemClock.now(),
  );
  const { createRuntimeHandler } = await import("../../agent/runtime/runtime-handler.ts");
  const log = createLog({
    level: streams.env["DEBUG"] ? "debug" : "silent",
    destination: { write: (line) => printLine(streams.stderr, line.trimEnd()) },
    secretValues: secrets,
  });
  const handler = createRuntimeHandler({ readSecret: agent.readSecret, log, clock: systemClock });
  return { agent, handler };
}

/** A model judges in a conversation of its own, without tools and rules, by the same handler. */
function judgeBy({ agent, handler }: OpenModel, { judgeModel }: EvalFlags): AskModel {
  return async ({ system, content, model }: JudgeRequest, signal) => {
    const config = agent.judgeConfig(system, judgeModel ?? model);
    const talk = handlerTalk({ handler, config, newId, clock: systemClock });
    return (await talk.turn(content, signal)).answer;
  };
}

function newId(): string {
  return newSessionId(randomBytes);
}
