/** What may answer for an agent: a provider with a key, a server of this machine, or a handler that needs no model. */
import type { HandlerName, ProviderName } from "../../agent-config/agent-config.ts";
import { PROVIDER_VARIABLES } from "../../local/secrets/resolve-secret.ts";

export interface CloudSource {
  readonly kind: "cloud";
  readonly title: string;
  readonly provider: ProviderName;
  /** The environment variable that `omnia up` takes the key from. */
  readonly variable: string;
  /** A model of these days, to begin with. */
  readonly model: string;
}

/** A server that speaks OpenAI's protocol and wants no key. */
export interface LocalSource {
  readonly kind: "local";
  readonly title: string;
  readonly baseURL: string;
  /** How to start it, for people. */
  readonly start: string;
}

export interface HandlerSource {
  readonly kind: "handler";
  readonly title: string;
  readonly handler: HandlerName;
}

export type ModelSource = CloudSource | LocalSource | HandlerSource;

/** By the name that `--provider` takes, in the order in which they are offered and, on this machine, preferred. */
export const MODEL_SOURCES = {
  ollama: {
    kind: "local",
    title: "Ollama",
    baseURL: "http://127.0.0.1:11434/v1",
    start: "ollama serve",
  },
  llamacpp: {
    kind: "local",
    title: "llama.cpp",
    baseURL: "http://127.0.0.1:8080/v1",
    start: "llama-server -m MODEL.gguf",
  },
  lmstudio: {
    kind: "local",
    title: "LM Studio",
    baseURL: "http://127.0.0.1:1234/v1",
    start: "lms server start",
  },
  openai: {
    kind: "cloud",
    title: "OpenAI",
    provider: "openai",
    variable: PROVIDER_VARIABLES.openai,
    model: "gpt-6-luna",
  },
  anthropic: {
    kind: "cloud",
    title: "Anthropic",
    provider: "anthropic",
    variable: PROVIDER_VARIABLES.anthropic,
    model: "claude-sonnet-5-5",
  },
  google: {
    kind: "cloud",
    title: "Google",
    provider: "google",
    variable: PROVIDER_VARIABLES.google,
    model: "gemini-flash-latest",
  },
  demo: {
    kind: "handler",
    title: "canned answers, without a model and a key",
    handler: "demo",
  },
  echo: {
    kind: "handler",
    title: "the message itself, without a model and a key",
    handler: "echo",
  },
} as const satisfies Record<string, ModelSource>;

export type SourceName = keyof typeof MODEL_SOURCES;
export const SOURCE_NAMES = Object.keys(MODEL_SOURCES) as SourceName[];
