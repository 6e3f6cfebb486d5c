/** Translates manifests in the form of AltairaLabs' Omnia into the form of here. It is pure: the caller reads and writes the files. */
import { isMap, isSeq, stringify, type YAMLMap } from "yaml";
import { formatPath } from "../fields/problems.ts";
import { AGENT_RUNTIME, type OmniaKind, PROMPT_PACK } from "../group.ts";
import { recogniseForm } from "../upstream/recognise-form.ts";
import { UPSTREAM_KINDS } from "../upstream/upstream-kinds.ts";
import { joinDocuments } from "./join-documents.ts";
import { KnownResources } from "./known-resources.ts";
import {
  type ManifestPart,
  type PartResource,
  partsOf,
  resourcesOf,
  type SourceFile,
} from "./manifest-parts.ts";
import { completeAgentRuntime, migrateAgentRuntime } from "./migrate-agent-runtime.ts";
import { migratePromptPack } from "./migrate-prompt-pack.ts";
import { migrateToolRegistry } from "./migrate-tool-registry.ts";
import { pruneToSchema } from "./prune-to-schema.ts";
import { inComment, type Remainder, SpecEditor } from "./spec-editor.ts";
import type { ObjectKey } from "./world.ts";

export interface MigratedFile {
  readonly name: string;
  readonly text: string;
  /** False: the text is as it was, to the byte. */
  readonly isChanged: boolean;
}

/** Something to know of a resource of a file. The message holds no value of a field. */
export interface MigrationRemark extends Omit<Remainder, "why"> {
  readonly file: string;
  /** The line of the file that was read. */
  readonly line: number;
  readonly message: string;
}

export interface Migration {
  readonly files: readonly MigratedFile[];
  /** How many resources were translated. */
  readonly translated: number;
  readonly remarks: readonly MigrationRemark[];
  /** What cannot be translated. When there is something, the files are not to be used. */
  readonly problems: readonly MigrationRemark[];
}

export function migrateManifests(sources: readonly SourceFile[]): Migration {
  const files = sources.map((source) => ({ source, parts: partsOf(source) }));
  const index = new KnownResources(files.flatMap(({ parts }) => parts));
  const migrator = new Migrator(index);
  // The AgentRuntimes come first: then it is known which of them uses a Provider.
  const parts = files.flatMap((file) => file.parts);
  for (const part of parts) migrator.translate(part);
  const migrated = files.map(({ source, parts: own }): MigratedFile => {
    const isStream = own.some((part) => part.isStreamed && migrator.hasChanged(part));
    const texts = own.map((part) => migrator.textOf(part));
    const text = isStream ? joinDocuments(texts) : texts.join("");
    return { name: source.name, text, isChanged: text !== source.text };
  });
  const { translated, remarks, problems } = migrator;
  return { files: migrated, translated, remarks, problems };
}

class Migrator {
  translated = 0;
  readonly remarks: MigrationRemark[] = [];
  readonly problems: MigrationRemark[] = [];
  readonly #index: KnownResources;
  readonly #changed = new Set<ManifestPart>();
  readonly #secrets = new Map<ManifestPart, string[]>();
  readonly #takenOut = new Map<ManifestPart, PartResource[]>();

  constructor(index: KnownResources) {
    this.#index = index;
  }

  translate(part: ManifestPart): void {
    if (part.problem !== undefined) {
      const { line, message } = part.problem;
      this.problems.push({ file: part.file, line, field: "", message, isNeeded: true });
    }
    for (const resource of resourcesOf(part)) {
      const value = resource.map.toJSON() as Record<string, unknown>;
      const form = recogniseForm(value);
      if (form === undefined) continue;
      this.translated += 1;
      this.#changed.add(part);
      if (Object.hasOwn(UPSTREAM_KINDS, form.kind)) {
        this.#takenOut.set(part, [...(this.#takenOut.get(part) ?? []), resource]);
      } else this.#translateResource(part, resource.map, form.kind as OmniaKind);
    }
  }

  #translateResource(part: ManifestPart, map: YAMLMap, kind: OmniaKind): void {
    const spec: unknown = map.get("spec", true);
    if (!isMap(spec)) return;
    const key = keyOf(map);
    const editor = new SpecEditor(spec);
    if (kind === AGENT_RUNTIME) {
      const { secretToMake } = migrateAgentRuntime(editor, key, this.#index);
      if (secretToMake !== undefined) this.#addSecret(part, { ...key, name: secretToMake }, map);
    } else if (kind === PROMPT_PACK) migratePromptPack(editor, key, this.#index);
    else migrateToolRegistry(editor, key.namespace);
    map.delete("status");
    const resource = (): Record<string, unknown> => map.toJSON() as Record<string, unknown>;
    let problems = pruneToSchema(kind, resource, editor);
    if (problems.length > 0 && kind === AGENT_RUNTIME) {
      completeAgentRuntime(editor, key);
      problems = pruneToSchema(kind, resource, editor);
    }
    editor.finish();
    const about = `${kind} "${key.name}"`;
    for (const { path, message } of problems) {
      this.#tell(this.problems, part, about, {
        field: formatPath(path),
        why: message,
        isNeeded: true,
      });
    }
    for (const remainder of editor.remainders) this.#tell(this.remarks, part, about, remainder);
  }

  #tell(
    list: MigrationRemark[],
    { file, line }: ManifestPart,
    about: string,
    { field, why, isNeeded }: Remainder,
  ): void {
    list.push({ file, line, field, isNeeded, message: `${about}: ${field}: ${why}` });
  }

  #addSecret(part: ManifestPart, { name, namespace }: ObjectKey, agent: YAMLMap): void {
    if (this.#index.keysOf("Secret", { name, namespace }) !== undefined) return;
    const named = agent.getIn(["metadata", "namespace"]) === namespace ? { namespace } : {};
    const secret = stringify({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name, ...named },
      stringData: { "api-key": "not-needed" },
    });
    const why = "# A server of one's own wants no key, and an AgentRuntime names one.";
    this.#secrets.set(part, [...(this.#secrets.get(part) ?? []), `---\n${why}\n${secret}`]);
  }

  hasChanged(part: ManifestPart): boolean {
    return this.#changed.has(part);
  }

  /** What is to be written in place of a part. */
  textOf(part: ManifestPart): string {
    const { document, text } = part;
    if (!this.#changed.has(part) || document === undefined) return text;
    const takenOut = this.#takenOut.get(part) ?? [];
    const heads = takenOut.map(({ map }) => this.#whyTakenOut(part, map));
    const items: unknown = isMap(document.contents) ? document.contents.get("items", true) : [];
    for (const { map, list } of takenOut) {
      if (list !== undefined && isSeq(items)) items.items.splice(items.items.indexOf(map), 1);
    }
    if (takenOut.some(({ list }) => list === undefined)) return commentedOut(text, heads);
    if (heads.length > 0) {
      document.commentBefore = [document.commentBefore, ...heads.map((head) => ` ${head}`)]
        .filter((comment) => comment != null)
        .join("\n");
    }
    const written = document.toString({
      lineWidth: 0,
      flowCollectionPadding: /[{[] +["\w]/.test(text),
      indentSeq: !/^( *)[\w-]+:[^\S\n]*\n\1- /m.test(text),
    });
    const made = this.#secrets.get(part) ?? [];
    const whole = [written.endsWith("\n") ? written : `${written}\n`, ...made].join("");
    return text.startsWith("---") && !whole.startsWith("---") ? `---\n${whole}` : whole;
  }

  #whyTakenOut(part: ManifestPart, map: YAMLMap): string {
    const kind = String(map.get("kind"));
    const { name, namespace } = keyOf(map);
    const about = `${kind} "${name}"`;
    const { instead = "" } = UPSTREAM_KINDS[kind] ?? {};
    const users = this.#index.usersOf({ namespace, name });
    if (kind === "Provider" && users.length > 0) {
      const agents = users.map((user) => `"${user}"`).join(", ");
      return inComment(`${about} stands in spec.provider of AgentRuntime ${agents} now.`);
    }
    const unused = kind === "Provider" ? " No AgentRuntime of these files uses it." : "";
    this.#tell(this.remarks, part, about, { field: "kind", why: instead, isNeeded: false });
    return inComment(`${about} is of a kind that is not there here. ${instead}${unused}`);
  }
}

function keyOf(map: YAMLMap): ObjectKey {
  const name: unknown = map.getIn(["metadata", "name"]);
  const namespace: unknown = map.getIn(["metadata", "namespace"]);
  return {
    name: typeof name === "string" ? name : "",
    namespace: typeof namespace === "string" && namespace !== "" ? namespace : "default",
  };
}

function commentedOut(text: string, heads: readonly string[]): string {
  const lines = text
    .replace(/^---[^\n]*\n?/, "")
    .trimEnd()
    .split("\n");
  const written = [...heads, "It was:", ...lines.map((line) => inComment(line.replace(/\r$/, "")))];
  const start = text.startsWith("---") ? "---\n" : "";
  return `${start}${written.map((line) => `# ${line}`.trimEnd()).join("\n")}\n`;
}
