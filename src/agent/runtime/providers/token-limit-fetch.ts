/**
 * The token limit of a chat completion has two names, `max_tokens` and `max_completion_tokens`, and many a server takes one of them
 * only. Which one cannot be known in advance: a deployment has a name of its own, which need not tell the model.
 */
import type { TokenLimitField } from "../../../agent-config/agent-config.ts";
import { isOpenAIReasoningModel } from "../../../agent-config/openai-reasoning-model.ts";
import type { ProviderAnswer, ProviderFetch } from "./network/provider-answer.ts";

type Body = Readonly<Record<string, unknown>>;

/** The statuses with which servers refuse a field that they do not know. */
const REFUSALS = [400, 422];

/**
 * Sends the token limit under the name `field`. Without `field` it begins with the one that suits the model's name; when the server
 * refuses it, the request is made once more with the other one, which is kept when the server took it.
 */
export function createTokenLimitFetch(
  providerFetch: ProviderFetch,
  model: string,
  field: TokenLimitField | undefined,
): ProviderFetch {
  let learned: TokenLimitField | undefined;
  return async (input, init) => {
    const body = readBody(init?.body);
    if (body === undefined) return await providerFetch(input, init);
    const send = (name: TokenLimitField): Promise<ProviderAnswer> =>
      providerFetch(input, { ...init, body: writeBody(body, name) });
    if (field !== undefined) return await send(field);

    const first = learned ?? likelyField(body, model);
    const response = await send(first);
    if (!REFUSALS.includes(response.status)) return response;
    const refusal = await response.text();
    if (!refusesField(refusal, first)) return withText(response, refusal);

    const second = otherField(first);
    const again = await send(second);
    if (again.ok) learned = second;
    if (!REFUSALS.includes(again.status)) return again;
    const secondRefusal = await again.text();
    // A server that takes neither name is better described by what it said first.
    return refusesField(secondRefusal, second)
      ? withText(response, refusal)
      : withText(again, secondRefusal);
  };
}

/** Returns `undefined` when the body asks for no token limit: then there is nothing to rename. */
function readBody(body: unknown): Body | undefined {
  // A look at the text spares most bodies from being parsed.
  if (typeof body !== "string" || !/"max_(completion_)?tokens":/.test(body)) return undefined;
  const parsed = JSON.parse(body) as Body;
  return limitOf(parsed) === undefined ? undefined : parsed;
}

function writeBody(body: Body, name: TokenLimitField): string {
  const { max_tokens: _one, max_completion_tokens: _other, ...rest } = body;
  return JSON.stringify({ ...rest, [name]: limitOf(body) });
}

function limitOf(body: Body): unknown {
  return body["max_completion_tokens"] ?? body["max_tokens"];
}

function likelyField(body: Body, model: string): TokenLimitField {
  return isOpenAIReasoningModel(model) || body["max_completion_tokens"] !== undefined
    ? "max_completion_tokens"
    : "max_tokens";
}

function otherField(field: TokenLimitField): TokenLimitField {
  return field === "max_tokens" ? "max_completion_tokens" : "max_tokens";
}

const UNKNOWN_FIELD_CODE =
  /^(unsupported|unknown|unrecognized|invalid)_(parameter|field|argument)$/;
const NOT_TAKEN =
  /unsupported|not supported|unrecogni[sz]ed|unknown|unexpected|not (permitted|allowed|accepted|valid|recogni[sz]ed)|forbidden|extra (inputs?|fields?)|additional propert|deprecated|no longer|(does not|doesn't|cannot) (support|accept|allow|recogni[sz]e)/i;
const WANTED = /\b(use|instead|required|missing|did you mean)\b/i;
/** The server knows the field, and complains about its value. */
const BAD_VALUE_CODE = /_value$/;
const BAD_VALUE =
  /too (large|small|big|many|high|low|long)|at (most|least)|(greater|less|more) than|must be|exceeds?\b|maximum (context|value|of)|out of range|between/i;

/** Whether a refusal is about the name of the token limit, and not about its value or about something else. */
export function refusesField(refusal: string, field: TokenLimitField): boolean {
  const { parameter, code } = namedIn(refusal);
  if (parameter !== undefined && !mentions(parameter, field)) return false;
  if (parameter !== undefined && UNKNOWN_FIELD_CODE.test(code ?? "")) return true;
  if (BAD_VALUE_CODE.test(code ?? "") || BAD_VALUE.test(refusal)) return false;
  return (
    (mentions(refusal, field) && NOT_TAKEN.test(refusal)) ||
    (mentions(refusal, otherField(field)) && WANTED.test(refusal))
  );
}

function mentions(text: string, field: TokenLimitField): boolean {
  return new RegExp(`\\b${field}\\b`).test(text);
}

/** OpenAI names the field that it refuses, and the kind of the refusal. */
function namedIn(refusal: string): { parameter?: string | undefined; code?: string | undefined } {
  try {
    const { error } = JSON.parse(refusal) as {
      error?: { param?: unknown; code?: unknown } | null;
    };
    return { parameter: textOf(error?.param), code: textOf(error?.code) };
  } catch {
    return {};
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** A response whose body was read already, as if it was not. */
function withText({ status, statusText, headers }: ProviderAnswer, text: string): Response {
  return new Response(text, { status, statusText, headers });
}
