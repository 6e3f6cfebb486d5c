import { AGENT_RUNTIME_FIELDS } from "../upstream/agent-runtime-fields.ts";
import { applyFields } from "./apply-fields.ts";
import { completeProvider, migrateProvider } from "./migrate-provider.ts";
import type { SpecEditor } from "./spec-editor.ts";
import { likelyKey, type MigrationWorld, type ObjectKey } from "./world.ts";

const STORE_KEY = "url";
/** How long sessions are kept there, unless it is said. */
const UPSTREAM_TTL = "24h";
const PACK_TO_CHOOSE = "choose-a-pack";
const ENV_PATHS = [
  ["runtime", "extraEnv"],
  ["facade", "extraEnv"],
  ["podOverrides", "extraEnv"],
] as const;

/** Answers a Secret that has to be made besides. */
export function migrateAgentRuntime(
  editor: SpecEditor,
  agent: ObjectKey,
  world: MigrationWorld,
): { secretToMake: string | undefined } {
  takeFacade(editor);
  moveSession(editor, agent, world);
  moveEnv(editor);
  moveAuth(editor);
  nameThePack(editor, agent, world);
  const made = migrateProvider(editor, agent, world);
  const threshold = ["runtime", "autoscaling", "keda", "connectionThreshold"];
  editor.toComment(threshold, "name a trigger in autoscaling.keda.triggers");
  applyFields(editor, AGENT_RUNTIME_FIELDS);
  return made;
}

/** Keeps the first facade that speaks WebSocket. */
function takeFacade(editor: SpecEditor): void {
  const count = editor.count("facades");
  const indexes = Array.from({ length: count }, (_, index) => index);
  const speaks = (index: number): boolean =>
    ["websocket", undefined].includes(editor.text("facades", index, "type"));
  const chosen = indexes.find(speaks) ?? 0;
  for (const index of indexes.toReversed()) {
    if (index !== chosen) {
      editor.toComment(["facades", index], "an agent has one facade, which speaks WebSocket");
    }
  }
  if (count > 0) editor.move(["facades", 0], ["facade"]);
  editor.remove(["facades"]);
  const type = editor.text("facade", "type");
  if (type !== undefined && type !== "websocket") {
    editor.toComment(["facade", "type"], "an agent is reached over WebSocket here");
  }
}

function moveSession(editor: SpecEditor, agent: ObjectKey, world: MigrationWorld): void {
  const hadContext = editor.get("context") !== undefined;
  if (hadContext) editor.toComment(["session"], "context counts, which came after it");
  editor.move(["context"], ["session"]);
  const type = editor.text("session", "type");
  if (type !== undefined && type !== "redis" && type !== "memory") {
    editor.toComment(["session", "storeRef"], "this store has no counterpart");
    editor.toComment(["session", "type"], "sessions are kept in memory or in Redis", true);
  }
  const name = editor.text("session", "storeRef", "name");
  if (name !== undefined && editor.get("session", "storeRef", "key") === undefined) {
    const keys = world.keysOf("Secret", { namespace: agent.namespace, name });
    editor.set(["session", "storeRef", "key"], likelyKey([STORE_KEY], keys));
  }
  if (editor.get("session") !== undefined && editor.get("session", "ttl") === undefined) {
    editor.set(["session", "ttl"], UPSTREAM_TTL);
  }
}

function moveEnv(editor: SpecEditor): void {
  for (const path of ENV_PATHS) {
    const more = editor.get(...path);
    const env = editor.get("env");
    if (!Array.isArray(more) || !Array.isArray(env)) {
      editor.move(path, ["env"]);
      continue;
    }
    const names = new Set(env.map(nameOf));
    for (let index = more.length - 1; index >= 0; index--) {
      if (names.has(nameOf(more[index]))) {
        editor.toComment([...path, index], "another variable has this name");
      }
    }
    const rest = editor.get(...path);
    editor.set(
      ["env"],
      [...(env as unknown[]), ...(Array.isArray(rest) ? (rest as unknown[]) : [])],
    );
    editor.remove(path);
  }
}

function nameOf(variable: unknown): unknown {
  return typeof variable === "object" && variable !== null && "name" in variable
    ? variable.name
    : undefined;
}

/** Whoever was kept out has to be kept out here, too, or it has to be said. */
function moveAuth(editor: SpecEditor): void {
  if (editor.get("externalAuth") === undefined) return;
  editor.move(["externalAuth", "oidc", "audience"], ["facade", "auth", "jwt", "audiences"], {
    convert: (audience) => [audience],
  });
  editor.move(["externalAuth", "oidc", "issuer"], ["facade", "auth", "jwt", "issuer"]);
  editor.move(
    ["externalAuth", "sharedToken", "secretRef", "name"],
    ["facade", "auth", "apiKeysSecretRef", "name"],
  );
  if (editor.get("facade", "auth") === undefined) {
    editor.remark(
      "spec.facade.auth",
      "without it everybody who reaches the agent may connect",
      true,
    );
  }
}

function nameThePack(editor: SpecEditor, agent: ObjectKey, world: MigrationWorld): void {
  const name = editor.text("promptPackRef", "name");
  if (name === undefined) return;
  const namespace = editor.text("promptPackRef", "namespace") ?? agent.namespace;
  const object = world.promptPack({ namespace, name }, editor.text("promptPackRef", "version"));
  if (object !== name) editor.set(["promptPackRef", "name"], object);
}

/** Fills in what is required here and was taken out since it is not valid, or was never there. */
export function completeAgentRuntime(editor: SpecEditor, agent: ObjectKey): void {
  completeProvider(editor, agent);
  const handler = editor.text("facade", "handler") ?? "runtime";
  if (handler !== "runtime" || editor.text("promptPackRef", "name") !== undefined) return;
  editor.set(["promptPackRef", "name"], PACK_TO_CHOOSE);
  editor.remark("spec.promptPackRef.name", "write the name of the PromptPack", true);
}
