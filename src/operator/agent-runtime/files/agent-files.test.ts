import { describe, expect, it } from "vitest";
import { aConfigSigner } from "../../../../test/support/builders/a-config-signer.ts";
import { decided } from "../../../../test/support/builders/a-decision.ts";
import type { AgentConfig } from "../../../agent-config/agent-config.ts";
import type { ConfigMapObject, PodObject } from "../../cluster/kubernetes-objects.ts";
import {
  FILES_DIGEST_ANNOTATION,
  FILES_REVISION_ANNOTATION,
  SECRET_FILES_ANNOTATION,
} from "../../cluster/labels.ts";
import { type KnownFiles, LastFiles, nextFiles, signedConfig } from "./agent-files.ts";
import { type AgentFiles, buildConfigMap, CONFIG_KEY } from "../objects/build-config-map.ts";

const AT = { name: "support", namespace: "team" };
const KEY = { path: "secrets/provider/api-key", secretName: "model", key: "api-key" };
const UID = "uid-of-support";
const SIGNER = aConfigSigner();
const NOTHING: KnownFiles = { filesRevision: 0, filesDigest: "", isSpoiled: false };

function aConfig(model = "first", signer = SIGNER): AgentConfig {
  const { config } = decided();
  if (config?.provider === undefined) throw new Error("there is no provider");
  const signed = { uid: UID, secretFiles: [KEY] };
  return signer.sign({ ...config, provider: { ...config.provider, model } }, signed);
}

function next(given: {
  last?: KnownFiles;
  config?: AgentConfig;
  key?: string | undefined;
  pods?: PodObject[];
}): AgentFiles {
  const { last = NOTHING, config = aConfig(), pods = [] } = given;
  const key = "key" in given ? given.key : "1a";
  return nextFiles({ config, secretFiles: [KEY], fileDigest: () => key, last, pods });
}

/** The ConfigMap as the cluster has it, with a resourceVersion of its own. */
function inCluster(files: AgentFiles, resourceVersion: string): ConfigMapObject {
  const { metadata, ...rest } = buildConfigMap(AT, files);
  return { ...rest, metadata: { ...metadata, resourceVersion } };
}

function known(files: AgentFiles): KnownFiles {
  return new LastFiles(SIGNER, UID).read(inCluster(files, "1"));
}

function aPod(revision?: string): PodObject {
  const annotations = revision === undefined ? {} : { [FILES_REVISION_ANNOTATION]: revision };
  return { metadata: { name: "pod", namespace: "team", annotations } };
}

describe("the files of an agent", () => {
  it("the digest of a config is taken over where it was made of the same, and from what was written only", () => {
    const files = new LastFiles(SIGNER, UID);
    const made = { ...next({}), madeOf: "1" };
    files.wrote(made, undefined);
    const last = files.read(undefined);
    const { config } = last;
    if (config === undefined) throw new Error("there is no config");
    const rest = { config, secretFiles: [KEY], fileDigest: () => "1a", pods: [] };
    expect(nextFiles({ ...rest, madeOf: "1", last })).toEqual(made);
    // A digest that is not that of the config shows whether it is taken over.
    const other = { ...last, filesDigest: "config=0,secrets/provider/api-key=1a" };
    const digestOf = (given: { madeOf?: string }, lastMade: KnownFiles) =>
      nextFiles({ ...rest, ...given, last: lastMade }).filesDigest;
    expect(digestOf({ madeOf: "1" }, other)).toBe(other.filesDigest);
    expect(digestOf({ madeOf: "2" }, other)).toBe(made.filesDigest);
    expect(digestOf({}, { ...other, madeOf: undefined })).toBe(made.filesDigest);
  });

  it("what a config was made of is learned of one that was read, unless other files are wanted", () => {
    const live = inCluster(next({}), "1");
    const files = new LastFiles(SIGNER, UID);
    const read = files.read(live);
    const wanted = nextFiles({
      config: read.config ?? aConfig(),
      madeOf: "1",
      secretFiles: [KEY],
      fileDigest: () => "1a",
      last: read,
      pods: [],
    });
    expect(read.madeOf).toBe(undefined);
    files.learn({ ...wanted, filesDigest: "config=0" });
    expect(files.read(live).madeOf).toBe(undefined);
    files.learn({ ...wanted, config: aConfig("second") });
    expect(files.read(live).madeOf).toBe(undefined);
    files.learn(wanted);
    expect(files.read(live)).toEqual({ ...read, madeOf: "1" });
  });

  it("a config that is the same keeps its signature, and any other one is signed for its own facts", () => {
    const last = known(next({}));
    const { signature: _, ...unsigned } = aConfig();
    const facts = { uid: UID, secretFiles: [KEY] };
    expect(signedConfig(unsigned, facts, last, SIGNER)).toBe(last.config);
    expect(signedConfig(aConfig("second"), facts, last, SIGNER)).toEqual(aConfig("second"));
    const others = [
      { ...facts, uid: "another-uid" },
      { ...facts, secretFiles: [] },
    ];
    for (const other of others) {
      const signed = signedConfig(unsigned, other, last, SIGNER);
      expect(SIGNER.hasSigned(signed, other)).toBe(true);
      expect(SIGNER.hasSigned(signed, facts)).toBe(false);
    }
    expect(signedConfig(unsigned, facts, NOTHING, SIGNER)).toEqual(aConfig());
  });

  it.each([
    ["of the config", { data: { [CONFIG_KEY]: "{}" } }],
    ["of the list of secret files", { annotation: [SECRET_FILES_ANNOTATION, "[]"] }],
    ["of the digest", { annotation: [FILES_DIGEST_ANNOTATION, "config=0"] }],
  ] as const)(
    "a change %s by others is noticed although the rest is as it was written",
    (_, change) => {
      const files = next({});
      const last = new LastFiles(SIGNER, UID);
      last.wrote(files, undefined);
      const live = inCluster(files, "1");
      if ("data" in change) live.data = change.data;
      else
        live.metadata.annotations = {
          ...live.metadata.annotations,
          [change.annotation[0]]: change.annotation[1],
        };
      expect(last.read(live)).toMatchObject({ config: files.config, isSpoiled: true });
      expect(last.read(inCluster(files, "2"))).toMatchObject({ isSpoiled: false });
    },
  );

  it("the revision stays while neither the config nor a secret changes", () => {
    const first = next({});
    expect(first.filesRevision).toBe(1);
    expect(next({ last: known(first) })).toEqual(first);
  });

  it.each([
    ["the config", { config: aConfig("second") }],
    ["the value of a secret", { key: "2b" }],
  ])("the revision grows with %s", (_, change) => {
    expect(next({ last: known(next({})), ...change }).filesRevision).toBe(2);
  });

  it("a secret that is gone changes nothing, nor does it when it comes back as it was", () => {
    const first = next({});
    const without = next({ last: known(first), key: undefined });
    expect(without).toEqual(first);
    expect(next({ last: known(without) })).toEqual(first);
  });

  it("files of which nothing is known are another revision than any pod was told of", () => {
    expect(next({ pods: [aPod()] }).filesRevision).toBe(2);
    expect(next({ pods: [aPod(), aPod("7"), aPod("spoiled")] }).filesRevision).toBe(8);
  });

  it("what was just written counts until the cache is another", () => {
    const last = new LastFiles(SIGNER, UID);
    const old = inCluster(next({}), "1");
    const written = next({ last: last.read(old), config: aConfig("second") });
    last.wrote(written, old);
    expect(last.read(old)).toMatchObject(written);
    const later = inCluster(next({ last: known(written), config: aConfig("third") }), "3");
    expect(last.read(later).config?.provider?.model).toBe("third");
  });

  it("of a ConfigMap that was deleted, what it said counts on", () => {
    const last = new LastFiles(SIGNER, UID);
    const files = next({});
    last.read(inCluster(files, "1"));
    expect(last.read(undefined)).toMatchObject(files);
    expect(next({ last: last.read(undefined) })).toEqual(files);
  });

  const spoilings: [string, (configMap: ConfigMapObject) => ConfigMapObject][] = [
    ["another config that is a config", (map) => forged(map, { signature: undefined })],
    [
      "a config that was signed with another key",
      (map) => forged(map, aConfig("b", aConfigSigner())),
    ],
    ["a signed config that was changed", (map) => forged(map, { handler: "echo" })],
    [
      "other secret files than were signed",
      ({ metadata, ...map }) => {
        const secretFiles = JSON.stringify([{ ...KEY, secretName: "of-the-database" }]);
        const annotations = { ...metadata.annotations, [SECRET_FILES_ANNOTATION]: secretFiles };
        return { ...map, metadata: { ...metadata, annotations } };
      },
    ],
    ["what is no config", (map) => inData(map, "{}")],
    ["what is no JSON", (map) => inData(map, "{")],
    ["nothing", ({ metadata }) => ({ metadata })],
    [
      "no annotations",
      ({ metadata, ...map }) => ({ ...map, metadata: { ...metadata, annotations: {} } }),
    ],
  ];
  /** With a digest that is right: whoever may write ConfigMaps can make it. */
  function forged({ metadata }: ConfigMapObject, changes: Partial<AgentConfig>): ConfigMapObject {
    const config = { ...aConfig("theirs"), ...changes };
    const { name, resourceVersion } = metadata;
    const forgery = buildConfigMap(AT, next({ config }));
    return { ...forgery, metadata: { ...forgery.metadata, name, resourceVersion } };
  }
  function inData(configMap: ConfigMapObject, text: string): ConfigMapObject {
    return { ...configMap, data: { [CONFIG_KEY]: text } };
  }

  it.each(spoilings)("of a ConfigMap with %s in it nothing is taken", (_, spoil) => {
    const files = next({});
    const spoiled = spoil(inCluster(files, "2"));
    const stranger = new LastFiles(SIGNER, UID).read(spoiled);
    expect(stranger).toMatchObject({ isSpoiled: true });
    expect(stranger.config).toBeUndefined();

    const last = new LastFiles(SIGNER, UID);
    last.read(inCluster(files, "1"));
    expect(last.read(spoiled)).toMatchObject({ config: files.config, secretFiles: [KEY] });
    // The pods may have read what was in it.
    expect(next({ last: last.read(spoiled) })).toEqual({ ...files, filesRevision: 2 });
  });

  it("a config of another agent of the same name, which was deleted, counts for nothing", () => {
    const read = new LastFiles(SIGNER, "another-uid").read(inCluster(next({}), "1"));
    expect(read).toMatchObject({ isSpoiled: true });
    expect(read.config).toBeUndefined();
  });
});
