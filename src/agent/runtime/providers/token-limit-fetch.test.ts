import { describe, expect, it } from "vitest";
import type { TokenLimitField } from "../../../agent-config/agent-config.ts";
import type { ProviderAnswer, ProviderFetch } from "./network/provider-answer.ts";
import { createTokenLimitFetch, refusesField } from "./token-limit-fetch.ts";

const URL = "http://models.example/v1/chat/completions";
const OPENAI_REFUSAL = {
  error: {
    message:
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    type: "invalid_request_error",
    param: "max_tokens",
    code: "unsupported_parameter",
  },
};

interface Answer {
  status: number;
  body: unknown;
}

/** A server that keeps what it is asked with. `answer` says what it answers. */
function server(answer: (body: Record<string, unknown>) => Answer) {
  const bodies: Record<string, unknown>[] = [];
  const fetch: typeof globalThis.fetch = async (_input, init) => {
    const body = JSON.parse(init?.body as string) as Record<string, unknown>;
    bodies.push(body);
    const { status, body: said } = answer(body);
    return new Response(typeof said === "string" ? said : JSON.stringify(said), { status });
  };
  return { bodies, fetch };
}

/** A server that takes one of the two names, and refuses the other one with `refusal`. */
function takes(field: TokenLimitField, refusal: Answer) {
  const other = field === "max_tokens" ? "max_completion_tokens" : "max_tokens";
  return server((body) => (other in body ? refusal : { status: 200, body: "taken" }));
}

function ask(
  fetch: ProviderFetch,
  body: object = { model: "m", max_tokens: 7 },
): Promise<ProviderAnswer> {
  return fetch(URL, { method: "POST", body: JSON.stringify(body) });
}

describe("the token limit of a chat completion", () => {
  it("has the other name after a refusal, and keeps it for the next request", async () => {
    const { bodies, fetch } = takes("max_completion_tokens", { status: 400, body: OPENAI_REFUSAL });
    const limited = createTokenLimitFetch(fetch, "my-deployment", undefined);
    expect(await (await ask(limited)).text()).toBe("taken");
    expect(await (await ask(limited)).text()).toBe("taken");
    expect(bodies).toEqual([
      { model: "m", max_tokens: 7 },
      { model: "m", max_completion_tokens: 7 },
      { model: "m", max_completion_tokens: 7 },
    ]);
  });

  it("begins with the name that suits the model, and goes back to the older one", async () => {
    const refusal = "Unrecognized request argument supplied: max_completion_tokens";
    const { bodies, fetch } = takes("max_tokens", { status: 400, body: refusal });
    const limited = createTokenLimitFetch(fetch, "gpt-5-mini", undefined);
    expect((await ask(limited)).status).toBe(200);
    expect((await ask(limited)).status).toBe(200);
    expect(bodies.map(({ max_tokens: older }) => older)).toEqual([undefined, 7, 7]);
  });

  it("keeps the name that the package chose for a model that it knows", async () => {
    const { bodies, fetch } = server(() => ({ status: 200, body: "" }));
    await ask(createTokenLimitFetch(fetch, "later-model", undefined), { max_completion_tokens: 3 });
    expect(bodies).toEqual([{ max_completion_tokens: 3 }]);
  });

  it.each(["max_tokens", "max_completion_tokens"] as const)(
    "is always called %s where the manifest says so",
    async (field) => {
      const { bodies, fetch } = server(() => ({ status: 400, body: OPENAI_REFUSAL }));
      const limited = createTokenLimitFetch(fetch, "gpt-5", field);
      const response = await ask(limited, { max_tokens: 7 });
      await ask(limited, { max_completion_tokens: 8 });
      expect(JSON.parse(await response.text())).toEqual(OPENAI_REFUSAL);
      expect(bodies).toEqual([{ [field]: 7 }, { [field]: 8 }]);
    },
  );

  it("is tried under each name once, and the first refusal is passed on when neither is taken", async () => {
    const { bodies, fetch } = server((body) => ({
      status: 422,
      body: `unknown field ${"max_tokens" in body ? "max_tokens" : "max_completion_tokens"}`,
    }));
    const limited = createTokenLimitFetch(fetch, "m", undefined);
    const response = await ask(limited);
    expect(response.status).toBe(422);
    expect(await response.text()).toBe("unknown field max_tokens");
    expect(bodies).toHaveLength(2);
  });

  it("passes on what the server says of something else after the name was taken", async () => {
    const { fetch } = takes("max_completion_tokens", { status: 400, body: OPENAI_REFUSAL });
    const strict: typeof globalThis.fetch = async (input, init) => {
      const response = await fetch(input, init);
      return response.ok ? new Response("temperature is not supported", { status: 400 }) : response;
    };
    const response = await ask(createTokenLimitFetch(strict, "m", undefined));
    expect(await response.text()).toBe("temperature is not supported");
  });

  it("leaves other requests and other refusals as they are", async () => {
    const { bodies, fetch } = server(() => ({ status: 400, body: "no such model" }));
    const limited = createTokenLimitFetch(fetch, "m", undefined);
    const messages = [{ role: "user", content: 'Say "max_tokens": 7' }];
    expect(await (await ask(limited, { messages })).text()).toBe("no such model");
    expect(await (await ask(limited)).text()).toBe("no such model");
    expect(bodies).toEqual([{ messages }, { model: "m", max_tokens: 7 }]);
  });
});

describe("a refusal of the name", () => {
  it.each<[string, TokenLimitField, unknown]>([
    ["of OpenAI and Azure", "max_tokens", OPENAI_REFUSAL],
    [
      "that a gateway wraps",
      "max_tokens",
      { error: { message: `AzureException - ${OPENAI_REFUSAL.error.message}`, code: "400" } },
    ],
    [
      "by an older API of Azure",
      "max_completion_tokens",
      {
        error: {
          message: "Unrecognized request argument supplied: max_completion_tokens",
          type: "invalid_request_error",
          param: null,
          code: null,
        },
      },
    ],
    [
      "by a schema of Pydantic",
      "max_completion_tokens",
      {
        detail: [
          {
            type: "extra_forbidden",
            loc: ["body", "max_completion_tokens"],
            msg: "Extra inputs are not permitted",
          },
        ],
      },
    ],
    [
      "by a schema of JSON",
      "max_completion_tokens",
      {
        error: {
          message: "property 'max_completion_tokens' is unsupported, did you mean 'max_tokens'?",
        },
      },
    ],
    [
      "by a server that wants the other one",
      "max_completion_tokens",
      {
        error: { message: "Field required: max_tokens" },
      },
    ],
    ["in plain words", "max_tokens", "max_tokens is deprecated, use max_completion_tokens"],
  ])("is seen in that %s", (_name, field, refusal) => {
    expect(refusesField(JSON.stringify(refusal), field)).toBe(true);
  });

  it.each<[string, TokenLimitField, unknown]>([
    [
      "a limit that is too large",
      "max_tokens",
      {
        error: {
          message:
            "max_tokens is too large: 100000. This model supports at most 16384 completion tokens.",
          param: "max_tokens",
          code: "invalid_value",
        },
      },
    ],
    [
      "a limit with both names that is too large",
      "max_tokens",
      "'max_tokens' or 'max_completion_tokens' is too large: 9. This model's maximum context length is 8.",
    ],
    [
      "a value that the model does not support",
      "max_tokens",
      {
        error: {
          message: "'max_tokens' does not support 1 with this model",
          param: "max_tokens",
          code: "unsupported_value",
        },
      },
    ],
    [
      "another parameter",
      "max_tokens",
      {
        error: {
          message: "Unsupported parameter: 'temperature' is not supported with max_tokens.",
          param: "temperature",
          code: "unsupported_parameter",
        },
      },
    ],
    ["an unknown model", "max_tokens", { error: { message: "unknown model" } }],
    ["nothing", "max_tokens", null],
  ])("is not seen in that of %s", (_name, field, refusal) => {
    expect(refusesField(JSON.stringify(refusal), field)).toBe(false);
  });
});
