/** A conversation with an agent that runs somewhere, over its protocol. */
import { randomUUID } from "node:crypto";
import type { TurnRecord } from "../../evals/conversation/transcript.ts";
import type { Talk } from "../../evals/run/run-conversation.ts";
import { SessionClient } from "../../protocol/client/session-client.ts";
import type { ServerFrame, Usage } from "../../protocol/frames.ts";
import type { Clock } from "../../time/clock.ts";
import { chatTransport } from "../chat/transport.ts";

export interface AddressTalkOptions {
  readonly url: string;
  readonly token: string | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/** What came of the turn that runs. */
interface Heard {
  readonly calls: Map<string, TurnRecord["toolCalls"][number]>;
  usage: TurnRecord["usage"];
}

/** Rejects with a ClientError when there is no agent to talk to. */
export async function addressTalk(options: AddressTalkOptions): Promise<Talk> {
  const { url, token, clock, random, signal } = options;
  let heard: Heard = { calls: new Map(), usage: undefined };
  const take = (frame: ServerFrame): void => {
    if (frame.type === "tool_call") {
      const { id, name, arguments: given } = frame.tool_call;
      heard.calls.set(id, { name, arguments: given });
    } else if (frame.type === "tool_result") {
      const { id, result, error } = frame.tool_result;
      const call = heard.calls.get(id);
      if (call !== undefined) {
        heard.calls.set(id, { ...call, ...(error === undefined ? { result } : { error }) });
      }
    } else if (frame.type === "done") heard.usage = tokensIn(frame.usage);
  };
  const client = await SessionClient.connect(
    {
      url,
      transport: chatTransport(),
      token: () => Promise.resolve(token),
      clock,
      random,
      newMessageId: randomUUID,
      onFrame: (frame, _text, isOwn) => {
        if (isOwn && frame !== undefined) take(frame);
      },
    },
    signal,
  );
  return {
    async turn(message, turnSignal) {
      const ofTurn: Heard = { calls: new Map(), usage: undefined };
      heard = ofTurn;
      const began = clock.monotonic();
      const end = await client.turn(message, turnSignal);
      if (end.type === "error") throw new Error(`${end.error.code}: ${end.error.message}`);
      if (end.finishReason === "awaiting_approval") {
        throw new Error("calls wait for an approval, which nobody can give here");
      }
      return {
        user: message,
        answer: end.content,
        toolCalls: [...ofTurn.calls.values()],
        finishReason: end.finishReason,
        ...usageIn(ofTurn),
        latencyMs: Math.round(clock.monotonic() - began),
      };
    },
    async [Symbol.asyncDispose]() {
      client.close();
    },
  };
}

function usageIn({ usage }: Heard): Pick<TurnRecord, "usage"> {
  return usage === undefined ? {} : { usage };
}

function tokensIn(usage: Usage | undefined): TurnRecord["usage"] {
  return usage && { inputTokens: usage.input_tokens, outputTokens: usage.output_tokens };
}
