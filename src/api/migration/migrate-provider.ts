/** Turns the provider of an AgentRuntime, its own or that of a Provider, into the form of here. */
import { PROVIDER_FIELDS, AGENT_PROVIDER_FIELDS } from "../upstream/provider-fields.ts";
import { under } from "../upstream/upstream-field.ts";
import { applyFields } from "./apply-fields.ts";
import type { SpecEditor } from "./spec-editor.ts";
import { likelyKey, type MigrationWorld, type ObjectKey, type ProviderObject } from "./world.ts";

/** What is named `type` there, and `name` here. */
const NAMES: Readonly<Record<string, string>> = {
  claude: "anthropic",
  anthropic: "anthropic",
  openai: "openai",
  gemini: "google",
  google: "google",
  ollama: "openai",
  vllm: "openai",
};
/** The keys of Secrets that are read there, where none is named. */
const SECRET_KEYS: Readonly<Record<string, string>> = {
  anthropic: "ANTHROPIC_API_KEY",
  openai: "OPENAI_API_KEY",
  google: "GEMINI_API_KEY",
};
/** Servers of one's own, which want no key. */
const LOCAL_SERVERS = ["ollama", "vllm"];
const DEFAULT_KEY = "api-key";
const MODEL_TO_CHOOSE = "choose-a-model";

const SECRET_PATHS = [
  ["provider", "credential", "secretRef"],
  ["provider", "secretRef"],
] as const;

/** Answers a Secret that has to be made besides, for a server that wants no key. */
export function migrateProvider(
  editor: SpecEditor,
  agent: ObjectKey,
  world: MigrationWorld,
): { secretToMake: string | undefined } {
  const taken = takeProvider(editor, agent, world);
  const type = editor.text("provider", "type");
  if (type === "mock") {
    if (!answersWithoutModel(editor)) editor.set(["facade", "handler"], "demo");
    const why = "the handler answers without a model, as a mock does";
    editor.toComment(["provider"], why);
    editor.toComment(["providerSecretRef"], why);
    return { secretToMake: undefined };
  }
  editor.move(["provider", "type"], ["provider", "name"], {
    convert: (value) => (typeof value === "string" ? ownValue(NAMES, value) : undefined),
    otherwise: "it has no counterpart: openai, anthropic and google are known",
  });
  moveSecret(editor, [agent.namespace, taken?.namespace ?? agent.namespace], world);
  moveParameters(editor);
  completeBaseURL(editor, type);
  applyFields(editor, [
    ...AGENT_PROVIDER_FIELDS,
    ...under("provider.", PROVIDER_FIELDS, "provider."),
  ]);
  return { secretToMake: completeProvider(editor, agent, LOCAL_SERVERS.includes(type ?? "")) };
}

/** Puts the spec of the Provider that the agent refers to in its place. */
function takeProvider(
  editor: SpecEditor,
  agent: ObjectKey,
  world: MigrationWorld,
): ProviderObject | undefined {
  const chosen = chooseProvider(editor);
  for (let index = editor.count("providers") - 1; index >= 0; index--) {
    if (index !== chosen) {
      editor.toComment(["providers", index], "an agent has one model, and this is another one");
    }
  }
  const list = editor.get("providers");
  const from = list === undefined ? ["providerRef"] : ["providers", 0, "providerRef"];
  const name = editor.text(...from, "name");
  const field = list === undefined ? "providerRef" : "providers";
  if (name === undefined) {
    editor.toComment([field], "it names no Provider", true);
    return undefined;
  }
  const namespace = editor.text(...from, "namespace") ?? agent.namespace;
  const found = world.provider({ namespace, name }, agent.name);
  if (found === undefined) {
    editor.toComment([field], "this Provider is not among the files; write what it says", true);
    return undefined;
  }
  editor.toComment(["provider"], "the Provider that is referred to counts");
  editor.set(["provider"], found.spec.clone());
  editor.remove([field]);
  if (found.namespace !== agent.namespace) {
    const why = `the Provider was in namespace "${found.namespace}"; its Secret has to be in "${agent.namespace}", the agent's own`;
    editor.remark("spec.provider.apiKeySecretRef", why, true);
  }
  return found;
}

function chooseProvider(editor: SpecEditor): number {
  const count = editor.count("providers");
  const indexes = Array.from({ length: count }, (_, index) => index);
  const isModel = (index: number): boolean =>
    ["llm", undefined].includes(editor.text("providers", index, "role"));
  const named = indexes.find((index) => editor.text("providers", index, "name") === "default");
  return named ?? indexes.find(isModel) ?? 0;
}

/** The Secret may be in any of the namespaces. */
function moveSecret(
  editor: SpecEditor,
  namespaces: readonly string[],
  world: MigrationWorld,
): void {
  const provider = editor.text("provider", "name") ?? "";
  for (const path of SECRET_PATHS) {
    const name = editor.text(...path, "name");
    if (name === undefined || editor.get("provider", "apiKeySecretRef") !== undefined) continue;
    const keys = namespaces
      .map((namespace) => world.keysOf("Secret", { namespace, name }))
      .find((found) => found !== undefined);
    const wanted = ownValue(SECRET_KEYS, provider) ?? DEFAULT_KEY;
    const key = editor.text(...path, "key") ?? likelyKey([wanted, DEFAULT_KEY], keys);
    editor.move([...path, "name"], ["provider", "apiKeySecretRef", "name"]);
    editor.set(["provider", "apiKeySecretRef", "key"], key);
    editor.remove([...path, "key"]);
  }
}

function moveParameters(editor: SpecEditor): void {
  for (const group of ["config", "defaults"]) {
    for (const name of ["temperature", "topP"]) {
      editor.move(["provider", group, name], ["provider", "parameters", name], {
        convert: (value) => {
          const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
          return typeof number === "number" && Number.isFinite(number) ? number : undefined;
        },
        otherwise: "it is no number",
      });
    }
  }
}

/** Ollama speaks OpenAI's protocol at another path than its own. */
function completeBaseURL(editor: SpecEditor, type: string | undefined): void {
  const baseURL = editor.text("provider", "baseURL");
  if (type !== "ollama" || baseURL === undefined) return;
  const url = URL.parse(baseURL);
  if (url?.pathname === "/") editor.set(["provider", "baseURL"], new URL("/v1", url).href);
}

/**
 * Fills in what is required here, so that the manifest can be applied, and says so. Answers a Secret that has to be made, for a
 * server that wants no key.
 */
export function completeProvider(
  editor: SpecEditor,
  agent: ObjectKey,
  wantsNoKey = false,
): string | undefined {
  if (answersWithoutModel(editor)) return undefined;
  const older = editor.text("providerSecretRef", "name");
  if (older !== undefined && editor.get("provider", "apiKeySecretRef") === undefined) {
    const key = editor.text("providerSecretRef", "key") ?? DEFAULT_KEY;
    editor.move(["providerSecretRef", "name"], ["provider", "apiKeySecretRef", "name"]);
    editor.set(["provider", "apiKeySecretRef", "key"], key);
    editor.remove(["providerSecretRef"]);
  }
  editor.toComment(["providerSecretRef"], "provider.apiKeySecretRef is set");
  const secret = editor.text("provider", "apiKeySecretRef", "name");
  if (editor.text("provider", "name") === undefined) {
    editor.set(["provider", "name"], guessName(secret));
    const why = "the provider is a guess: openai, anthropic or google";
    editor.remark("spec.provider.name", why, true);
  }
  if (editor.text("provider", "model") === undefined) {
    editor.set(["provider", "model"], MODEL_TO_CHOOSE);
    editor.remark("spec.provider.model", "write the name of the model", true);
  }
  if (secret !== undefined) {
    if (editor.get("provider", "apiKeySecretRef", "key") === undefined) {
      editor.set(["provider", "apiKeySecretRef", "key"], DEFAULT_KEY);
    }
    return undefined;
  }
  const name = `${agent.name}-api-key`;
  editor.set(["provider", "apiKeySecretRef"], { name, key: DEFAULT_KEY });
  if (wantsNoKey) return name;
  const why = "make a Secret with the API key under this name";
  editor.remark("spec.provider.apiKeySecretRef", why, true);
  return undefined;
}

function answersWithoutModel(editor: SpecEditor): boolean {
  return ["demo", "echo"].includes(editor.text("facade", "handler") ?? "");
}

function guessName(secret = ""): string {
  if (/anthropic|claude/i.test(secret)) return "anthropic";
  return /gemini|google/i.test(secret) ? "google" : "openai";
}

function ownValue(map: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}
