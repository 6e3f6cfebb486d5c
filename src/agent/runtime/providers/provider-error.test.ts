import { APICallError, JSONParseError } from "@ai-sdk/provider";
import { describe, expect, it } from "vitest";
import {
  describeProviderFailure,
  ProviderFailedError,
  providerTurnError,
} from "./provider-error.ts";
import { ProviderSilentError } from "./network/provider-fetch.ts";

const now = Date.parse("2026-01-01T00:00:00Z");
const secret = "sk-do-not-show";
const address = "10.1.2.3:8443";

function apiError(
  statusCode: number | undefined,
  more: {
    message?: string;
    headers?: Record<string, string>;
    body?: unknown;
    cause?: unknown;
  } = {},
): APICallError {
  return new APICallError({
    message: more.message ?? `said ${secret}`,
    url: `http://${address}/v1/chat/completions`,
    requestBodyValues: { messages: [secret] },
    ...(statusCode === undefined ? {} : { statusCode }),
    responseHeaders: more.headers ?? {},
    responseBody: JSON.stringify(more.body ?? { error: { message: secret } }),
    data: more.body,
    cause: more.cause,
  });
}

function describeIt(error: unknown) {
  return describeProviderFailure(error, { modelId: "gpt-x", now });
}

describe("what a provider's failure is called", () => {
  it.each([
    [401, "key_refused", false],
    [402, "quota_exceeded", false],
    [403, "access_denied", false],
    [404, "model_not_found", false],
    [307, "redirected", false],
    [400, "invalid_request", false],
    [413, "context_too_long", false],
    [422, "invalid_request", false],
    [408, "server_error", true],
    [429, "rate_limited", true],
    [500, "server_error", true],
    [502, "server_error", true],
    [503, "overloaded", true],
    [529, "overloaded", true],
  ] as const)("of HTTP %i is %s", (status, reason, retryable) => {
    expect(describeIt(apiError(status))).toMatchObject({ reason, retryable, status });
  });

  it("names the model that is not known", () => {
    expect(describeIt(apiError(404)).message).toContain('"gpt-x"');
  });

  it.each([
    [401, {}, "authentication (HTTP 401); the API key was refused"],
    [402, {}, "billing or quota (HTTP 402); the account has no quota or credit left"],
    [403, {}, "permission denied (HTTP 403); this API key may not use the model"],
    [
      404,
      {},
      'model not found (HTTP 404); the provider does not know "gpt-x", or baseURL leads elsewhere',
    ],
    [400, {}, "invalid request (HTTP 400)"],
    [
      413,
      {},
      "context length (HTTP 413); the message is longer than the model takes, even without the turns before it",
    ],
    [429, {}, "rate limit (HTTP 429); try again in a while"],
    [429, { "retry-after": "12" }, "rate limit (HTTP 429); try again in 12 s"],
    [500, {}, "server error (HTTP 500); try again in a moment"],
    [503, {}, "overloaded (HTTP 503); try again in a moment"],
    [529, {}, "overloaded (HTTP 529); try again in a moment"],
  ])("of HTTP %i with %j is told with the provider and the status", (status, headers, message) => {
    const failure = describeIt(apiError(status, { headers }));
    expect(providerTurnError(failure, "anthropic").message).toBe(`anthropic: ${message}`);
  });

  it.each([
    "/chat/completions: Invalid model name passed in model=nope. Call `/v1/models` to view available models for your key.",
    "The model `nope` does not exist or you do not have access to it.",
    "nope/nope is not a valid model ID",
    "Invalid model: nope",
    "Model Not Exist",
    "model 'nope:7b' not found, try pulling it first",
    "The requested model was not found.",
    "unknown model nope",
    "the model has been retired (model_decommissioned)",
  ])("knows that the model is not known also behind a 400: %s", (message) => {
    expect(describeIt(apiError(400, { message })).reason).toBe("model_not_found");
    expect(describeIt(apiError(422, { body: { error: { message } } })).reason).toBe(
      "model_not_found",
    );
  });

  it.each([
    "Unsupported parameter: 'max_tokens' is not supported with this model.",
    "Invalid model parameter: temperature",
  ])("does not take another refusal for an unknown model: %s", (message) => {
    expect(describeIt(apiError(400, { message })).reason).toBe("invalid_request");
  });

  it.each([
    "This model does not support tools",
    "registry.ollama.ai/library/gemma:2b does not support tools",
    "No endpoints found that support tool use. To learn more about provider routing, visit: …",
    '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
    "`tool calling` is not supported with this model",
    "This model doesn't support tool use in streaming mode.",
    "deepseek-reasoner does not support Function Calling",
    "tools param requires --jinja flag",
  ])("says that the model takes no tools: %s", (message) => {
    for (const status of [400, 404]) {
      expect(describeIt(apiError(status, { message }))).toMatchObject({
        reason: "invalid_request",
        message: `invalid request (HTTP ${status}); the model, or its server as it was started, takes no tools`,
      });
    }
  });

  it("asks whether the address is right where a page or a wrong method is answered", () => {
    expect(describeIt(apiError(405)).message).toContain("does baseURL lead to the API?");
    const page = { message: "Forbidden", statusCode: 403, responseBody: "<!DOCTYPE html>…" };
    expect(describeIt(page)).toMatchObject({
      reason: "access_denied",
      message:
        "permission denied (HTTP 403); an HTML page came, as firewalls and proxies before an API send",
    });
  });

  it("tells a conversation that is too long from another refusal", () => {
    const openai = apiError(400, { body: { error: { code: "context_length_exceeded" } } });
    const anthropic = apiError(400, {
      message: "prompt is too long: 210000 tokens > 200000 maximum",
    });
    const google = apiError(400, {
      message: "The input token count (1200000) exceeds the maximum number of tokens allowed",
    });
    for (const error of [openai, anthropic, google]) {
      expect(describeIt(error).reason).toBe("context_too_long");
    }
  });

  it("knows Google's 400 for a bad key, and that of others", () => {
    const error = apiError(400, { message: "API key not valid. Please pass a valid API key." });
    expect(describeIt(error).reason).toBe("key_refused");
    const other = apiError(400, { message: "Incorrect API key provided: xai-1" });
    expect(describeIt(other).reason).toBe("key_refused");
  });

  it("says that a filter refused the message, and does not ask again", () => {
    const body = { error: { code: "content_filter", message: "The response was filtered" } };
    for (const status of [400, 500]) {
      expect(describeIt(apiError(status, { body }))).toMatchObject({
        reason: "content_filter",
        retryable: false,
        status,
      });
    }
  });

  it("does not ask again for what was not paid", () => {
    const error = apiError(429, { body: { error: { code: "insufficient_quota" } } });
    expect(describeIt(error)).toMatchObject({ reason: "quota_exceeded", retryable: false });
  });

  it.each([
    [400, "Your credit balance is too low to access the API."],
    [400, "Budget has been exceeded! Current cost: 1.2, Max budget: 1.0"],
    [403, "insufficient_user_quota"],
    [429, "billing_not_active"],
  ])("knows what was not paid also behind HTTP %i: %s", (status, message) => {
    const error = describeIt(apiError(status, { message }));
    expect(error).toMatchObject({ reason: "quota_exceeded", retryable: false });
  });

  it("does ask again where a limit passes, though it is told with a word on billing", () => {
    const message = "You exceeded your current quota, please check your plan and billing details.";
    const details = [{ retryDelay: "2s" }];
    const limited = apiError(429, { body: { error: { message, details } } });
    expect(describeIt(limited)).toMatchObject({ reason: "rate_limited", retryAfterSeconds: 2 });
    const unpaid = apiError(429, { body: { error: { message } } });
    expect(describeIt(unpaid).reason).toBe("quota_exceeded");
  });

  it("knows what was not paid from an error within a stream", () => {
    const data = { error: { message: secret, type: "insufficient_quota" } };
    expect(describeIt({ message: secret, statusCode: 429, data }).reason).toBe("quota_exceeded");
  });

  it("names the parameter that was refused, unless it is no name", () => {
    const named = apiError(400, { body: { error: { param: "temperature" } } });
    expect(describeIt(named).message).toContain('"temperature"');
    const odd = apiError(400, { body: { error: { param: `${secret} <b>` } } });
    expect(describeIt(odd).message).not.toContain(secret);
  });

  it.each([
    [{ "retry-after": "30" }, undefined, 30],
    [{ "retry-after": "Thu, 01 Jan 2026 00:01:00 GMT" }, undefined, 60],
    [{ "retry-after-ms": "1500", "retry-after": "9" }, undefined, 2],
    [{}, { error: { details: [{ retryDelay: "7.2s" }] } }, 8],
    [{ "retry-after": "soon" }, undefined, undefined],
    [{ "retry-after": "12s" }, undefined, 12],
    [{ "retry-after": "1.5" }, undefined, 2],
    [{ "retry-after": "" }, undefined, undefined],
    [{ "retry-after": "-5" }, undefined, undefined],
    [{ "retry-after": "1e400" }, undefined, undefined],
    [{ "retry-after-ms": "1e400", "retry-after": "3" }, undefined, 3],
    [{}, { error: { message: "Please try again in 7m12.5s. Upgrade" } }, 433],
    [{}, { error: { message: "Please try again in 1h2m3s" } }, 3723],
    [{}, { error: { message: "Please retry after 20 seconds." } }, 20],
    [{}, { error: { message: "try again in 250ms" } }, 1],
    [{}, { error: { message: "Please retry in 43.2s" } }, 44],
    [{}, { error: { message: "try again in a while, in 3 s" } }, undefined],
    [{ "retry-after": "2" }, { error: { message: "try again in 9s" } }, 2],
  ])("reads when to come back from %j %j", (headers, body, expected) => {
    expect(describeIt(apiError(429, { headers, body })).retryAfterSeconds).toBe(expected);
  });

  it.each([
    ["ECONNREFUSED", "unreachable", true],
    ["ENOTFOUND", "unreachable", true],
    ["UND_ERR_CONNECT_TIMEOUT", "unreachable", true],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "unreachable", false],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "unreachable", false],
  ])("of a connection that failed with %s is %s", (code, reason, retryable) => {
    const cause = Object.assign(new Error(`connect ${code} ${address}`), { code });
    expect(describeIt(apiError(undefined, { cause }))).toMatchObject({
      reason,
      retryable,
      code,
    });
    const everyAddress = new AggregateError([cause], "");
    expect(describeIt(apiError(undefined, { cause: everyAddress })).code).toBe(code);
  });

  it("finds silence behind the error of a stream that had begun well", () => {
    expect(describeIt(apiError(200, { cause: new ProviderSilentError("") })).reason).toBe("silent");
  });

  it("takes a stream that broke without a word for interrupted", () => {
    const closed = Object.assign(new Error("other side closed"), { code: "UND_ERR_SOCKET" });
    expect(
      describeIt(apiError(200, { cause: new TypeError("terminated", { cause: closed }) })),
    ).toMatchObject({
      reason: "interrupted",
      retryable: true,
    });
  });

  it("does not ask again for an answer that cannot be unpacked", () => {
    for (const code of [
      "Z_DATA_ERROR",
      "ERR__ERROR_FORMAT_PADDING_1",
      "ZSTD_error_prefix_unknown",
    ]) {
      const cause = Object.assign(new Error("incorrect header check"), { code });
      const error = apiError(200, { cause: new TypeError("terminated", { cause }) });
      expect(describeIt(error)).toMatchObject({ reason: "malformed", retryable: false });
    }
  });

  it("knows an answer that is not the protocol", () => {
    const error = new JSONParseError({ text: secret, cause: new Error(secret) });
    expect(describeIt(error).reason).toBe("malformed");
  });

  it("takes the status of an error that came within the stream", () => {
    expect(describeIt({ message: secret, statusCode: 529, isRetryable: true }).reason).toBe(
      "overloaded",
    );
  });

  it("takes a connection that failed in an unknown way for one that failed", () => {
    expect(describeIt(apiError(undefined)).reason).toBe("unreachable");
  });

  it("names an error that nobody expected by its kind only", () => {
    expect(describeIt(new RangeError(secret))).toMatchObject({
      reason: "malformed",
      code: "RangeError",
    });
  });

  it("shows nothing of what the provider or the network said", () => {
    const cause = Object.assign(new Error(`connect ${address}`), { code: "ECONNREFUSED" });
    const errors = [
      ...[301, 400, 401, 402, 403, 404, 429, 500, 503].map((status) => apiError(status)),
      apiError(undefined, { cause }),
      new TypeError(`terminated ${address}`),
      new ProviderFailedError("empty", "empty answer; the model said nothing"),
    ];
    for (const error of errors) {
      const turnError = providerTurnError(describeIt(error), "openai");
      expect(turnError.code).toBe("PROVIDER_ERROR");
      const shown = JSON.stringify([
        turnError.message,
        turnError.details,
        turnError.stack,
        (turnError.cause as Error).message,
        (turnError.cause as Error).cause,
      ]);
      expect(shown).not.toContain(secret);
      expect(shown).not.toContain("10.1.2.3");
    }
  });
});
