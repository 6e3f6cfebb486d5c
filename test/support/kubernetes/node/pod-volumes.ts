/**
 * The files of a pod, laid out as a kubelet does: each volume is a folder of its own that changes as a whole, by one rename of
 * the link `..data`; what is mounted inside another mount lies in it. Absolute paths of the container begin at `root`.
 */
import { mkdir, mkdtemp, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import type {
  V1KeyToPath,
  V1SecretVolumeSource,
  V1Volume,
  V1VolumeProjection,
} from "@kubernetes/client-node";
import type { Pod } from "./pod.ts";

/** Reads an object of the pod's namespace; `undefined` when there is none. */
export type ReadObject = (
  plural: "configmaps" | "secrets",
  name: string,
) => Promise<{ data?: Record<string, string>; binaryData?: Record<string, string> } | undefined>;

/** Path in the volume → content. */
type Payload = Map<string, Buffer>;

export class PodVolumes {
  readonly root: string;
  readonly #folder: string;
  readonly #written = new Map<string, string>();
  #isMounted = false;

  constructor(folder: string) {
    this.#folder = folder;
    this.root = join(folder, "root");
  }

  /**
   * Brings every volume up to date that can be made, each on its own. Rejects, once that is done, when something that must be
   * there is missing; before the first time that all can be made, nothing is mounted.
   */
  async materialise(pod: Pod, read: ReadObject): Promise<void> {
    const problems: unknown[] = [];
    for (const volume of pod.spec.volumes ?? []) {
      try {
        await this.#write(volume.name, await payloadOf(volume, pod, read));
      } catch (error) {
        problems.push(error);
      }
    }
    if (problems.length > 0) throw problems[0];
    if (!this.#isMounted) await this.#mount(pod);
    this.#isMounted = true;
  }

  async #write(volume: string, payload: Payload): Promise<void> {
    const folder = join(this.#folder, "volumes", volume);
    const digest = JSON.stringify([...payload].map(([path, data]) => [path, data.toString("hex")]));
    if (this.#written.get(volume) === digest) return;
    await mkdir(folder, { recursive: true });
    const version = await mkdtemp(join(folder, "..version-"));
    for (const [path, data] of payload) {
      await mkdir(dirname(join(version, path)), { recursive: true });
      await writeFile(join(version, path), data);
    }
    const data = join(folder, "..data");
    const before = await readlink(data).catch(() => undefined);
    await symlink(basename(version), `${data}_tmp`);
    await rename(`${data}_tmp`, data);
    const tops = new Set([...payload.keys()].map(topOf));
    for (const top of tops) await linkTo(join("..data", top), join(folder, top));
    const old = JSON.parse(this.#written.get(volume) ?? "[]") as [string, string][];
    for (const [path] of old) {
      if (!tops.has(topOf(path))) await rm(join(folder, topOf(path)), { force: true });
    }
    if (before !== undefined) await rm(join(folder, before), { recursive: true, force: true });
    this.#written.set(volume, digest);
  }

  async #mount(pod: Pod): Promise<void> {
    const mounts = (pod.spec.containers[0]?.volumeMounts ?? []).toSorted(
      (a, b) => a.mountPath.length - b.mountPath.length,
    );
    const done: { path: string; at: string }[] = [];
    for (const { name, mountPath, subPath } of mounts) {
      if (subPath !== undefined)
        throw new Error(`the simulated kubelet knows no subPath (${name})`);
      const volume = join(this.#folder, "volumes", name);
      const outer = done.findLast(({ path }) => mountPath.startsWith(`${path}/`));
      const at =
        outer === undefined
          ? join(this.root, mountPath)
          : join(outer.at, relative(outer.path, mountPath));
      await mkdir(dirname(at), { recursive: true });
      await linkTo(volume, at);
      done.push({ path: mountPath, at: volume });
    }
  }
}

async function linkTo(target: string, link: string): Promise<void> {
  if ((await readlink(link).catch(() => undefined)) !== target) await symlink(target, link);
}

function topOf(path: string): string {
  return path.split("/")[0] ?? path;
}

async function payloadOf(volume: V1Volume, pod: Pod, read: ReadObject): Promise<Payload> {
  const { configMap, secret, projected, downwardAPI, emptyDir, name } = volume;
  if (emptyDir !== undefined) return new Map();
  const sources: V1VolumeProjection[] | undefined =
    configMap !== undefined
      ? [{ configMap }]
      : secret !== undefined
        ? [{ secret: secretProjection(secret) }]
        : downwardAPI !== undefined
          ? [{ downwardAPI }]
          : projected?.sources;
  if (sources === undefined) throw new Error(`the simulated kubelet cannot make volume ${name}`);
  const payload: Payload = new Map();
  for (const source of sources) {
    for (const [path, data] of await projectedBy(source, pod, read)) payload.set(path, data);
  }
  return payload;
}

function secretProjection({ secretName = "", items, optional }: V1SecretVolumeSource) {
  return {
    name: secretName,
    ...(items === undefined ? {} : { items }),
    ...(optional === undefined ? {} : { optional }),
  };
}

async function projectedBy(
  { configMap, secret, downwardAPI, ...other }: V1VolumeProjection,
  pod: Pod,
  read: ReadObject,
): Promise<Payload> {
  if (downwardAPI !== undefined) {
    return new Map(
      (downwardAPI.items ?? []).map(({ path, fieldRef }) => [
        path,
        Buffer.from(fieldOf(pod, fieldRef?.fieldPath ?? "")),
      ]),
    );
  }
  const source = configMap ?? secret;
  if (source === undefined) {
    throw new Error(`the simulated kubelet cannot project ${Object.keys(other).join()}`);
  }
  const plural = configMap === undefined ? "secrets" : "configmaps";
  const found = await read(plural, source.name ?? "");
  if (found === undefined) {
    if (source.optional === true) return new Map();
    throw new Error(`${plural} ${source.name ?? ""} not found`);
  }
  const encoding = configMap === undefined ? "base64" : "utf8";
  const keys = new Map<string, Buffer>();
  for (const [key, text] of Object.entries(found.data ?? {})) {
    keys.set(key, Buffer.from(text, encoding));
  }
  for (const [key, text] of Object.entries(found.binaryData ?? {})) {
    keys.set(key, Buffer.from(text, "base64"));
  }
  if (source.items === undefined) return keys;
  return new Map(source.items.flatMap((item) => itemOf(item, keys, source.optional === true)));
}

function itemOf(
  { key, path }: V1KeyToPath,
  keys: Payload,
  isOptional: boolean,
): [string, Buffer][] {
  const data = keys.get(key);
  if (data !== undefined) return [[path, data]];
  if (isOptional) return [];
  throw new Error(`references non-existent key: ${key}`);
}

/** A field of the downward API. */
export function fieldOf({ metadata, spec, status }: Pod, path: string): string {
  const key = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (key !== null) return metadata[key[1] as "labels" | "annotations"]?.[key[2] ?? ""] ?? "";
  const fields: Record<string, string | undefined> = {
    "metadata.name": metadata.name,
    "metadata.namespace": metadata.namespace,
    "metadata.uid": metadata.uid,
    "spec.nodeName": spec.nodeName,
    "status.podIP": status?.podIP,
  };
  const value = fields[path];
  if (value === undefined) throw new Error(`the simulated kubelet does not know the field ${path}`);
  return value;
}
