import { describe, expect, it } from "vitest";
import {
  decided,
  packReference,
  theReferences,
  theVersion,
} from "../../../../test/support/builders/a-decision.ts";
import type { AgentConfig } from "../../../agent-config/agent-config.ts";
import type { SecretFile } from "../../../control/agent-runtime/workload-decision.ts";
import type { ConfigMapObject } from "../../cluster/kubernetes-objects.ts";
import { PACK_VERSIONS_ANNOTATION, SECRET_FILES_ANNOTATION } from "../../cluster/labels.ts";
import { buildConfigMap, readConfigMap } from "./build-config-map.ts";
import { versionsText } from "../../../control/prompt-pack/versions-text.ts";

const SECRET_FILES: SecretFile[] = [
  { path: "secrets/api-keys", secretName: "clients" },
  { path: "secrets/provider/api-key", secretName: "model", key: "api-key" },
  { path: "secrets/tools/t/token", secretName: "t", key: "token", optional: true },
];
const KEPT = [theVersion()];
const CANARY = theVersion({ version: "2.0.0" });
const canary = packReference({ kept: KEPT, canary: CANARY });

function aConfig(promptPack = packReference({ kept: KEPT })): AgentConfig {
  const { config } = decided({ references: theReferences({ promptPack }) });
  if (config === undefined) throw new Error("there is no config");
  return config;
}

function build(config = aConfig()): ConfigMapObject {
  return buildConfigMap(
    { name: "support", namespace: "agents" },
    { config, secretFiles: SECRET_FILES, filesRevision: 7, filesDigest: "config=a,b=c" },
  );
}

describe("the ConfigMap of an agent", () => {
  it("is named after the agent and holds its config alone", () => {
    const { metadata, data } = build();
    expect(metadata).toMatchObject({ name: "support-config", namespace: "agents" });
    expect(Object.keys(data ?? {})).toEqual(["agent.json"]);
    expect(JSON.parse(data?.["agent.json"] ?? "")).toEqual(aConfig());
  });

  it("says what was decided when it is read again", () => {
    expect(readConfigMap(build())).toEqual({
      config: aConfig(),
      secretFiles: SECRET_FILES,
      filesRevision: 7,
      filesDigest: "config=a,b=c",
    });
  });

  it("says which versions of the pack the agent runs, as the pack does", () => {
    for (const reference of [packReference({ kept: KEPT }), canary]) {
      if (!reference.found) throw new Error("there is no pack");
      const said = build(aConfig(reference)).metadata.annotations?.[PACK_VERSIONS_ANNOTATION];
      expect(said).toBe(versionsText(reference.versions));
    }
    expect(build(aConfig(canary)).metadata.annotations?.[PACK_VERSIONS_ANNOTATION]).toBe(
      `${KEPT[0]?.hash} ${CANARY.hash}@20`,
    );
    expect(versionsText({})).toBe("");
  });

  it.each<[string, (configMap: ConfigMapObject) => ConfigMapObject | undefined]>([
    ["is not there", () => undefined],
    ["holds nothing", ({ metadata }) => ({ metadata })],
    ["holds no JSON", ({ metadata }) => ({ metadata, data: { "agent.json": "{" } })],
    [
      "holds a config of another version",
      ({ metadata }) => ({
        metadata,
        data: { "agent.json": JSON.stringify({ ...aConfig(), version: 2 }) },
      }),
    ],
    [
      "has lost the list of its secrets",
      ({ metadata: { name }, data = {} }) => ({ metadata: { name }, data }),
    ],
    [
      "has another list of secrets",
      ({ metadata: { name }, data = {} }) => ({
        metadata: { name, annotations: { [SECRET_FILES_ANNOTATION]: '[{"path":1}]' } },
        data,
      }),
    ],
  ])("says nothing of what was decided when it %s", (_, spoil) => {
    const read = readConfigMap(spoil(build()));
    expect(read).not.toHaveProperty("config");
    expect(read).not.toHaveProperty("secretFiles");
  });
});
