import { DEFAULT_PACK_KEY } from "../group.ts";
import { PROMPT_PACK_FIELDS } from "../upstream/prompt-pack-fields.ts";
import { applyFields } from "./apply-fields.ts";
import type { SpecEditor } from "./spec-editor.ts";
import { likelyKey, type MigrationWorld, type ObjectKey } from "./world.ts";

/** The key that is read there, whatever the ConfigMap holds besides. */
const UPSTREAM_PACK_KEY = "pack.json";
const UPSTREAM_WEIGHT = 10;

export function migratePromptPack(
  editor: SpecEditor,
  pack: ObjectKey,
  world: MigrationWorld,
): void {
  const ref = ["source", "configMapRef"];
  const name = editor.text(...ref, "name");
  if (name !== undefined && editor.get(...ref, "key") === undefined) {
    const keys = world.keysOf("ConfigMap", { namespace: pack.namespace, name });
    const key = likelyKey([UPSTREAM_PACK_KEY, DEFAULT_PACK_KEY], keys);
    if (key !== DEFAULT_PACK_KEY) editor.set([...ref, "key"], key);
  }
  if (editor.text("packName") === pack.name) editor.remove(["packName"]);
  applyFields(editor, PROMPT_PACK_FIELDS);
  const isCanary = editor.text("rollout", "strategy") === "canary";
  if (isCanary && editor.get("rollout", "canary", "weight") === undefined) {
    editor.set(["rollout", "canary", "weight"], UPSTREAM_WEIGHT);
  }
}
