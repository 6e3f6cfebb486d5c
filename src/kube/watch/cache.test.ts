import { describe, expect, it } from "vitest";
import { Cache, type CacheChange } from "./cache.ts";
import type { KubernetesObject } from "../client/object.ts";

function anObject(name: string, resourceVersion: string, uid = `uid-of-${name}`): KubernetesObject {
  return {
    metadata: { name, namespace: "default", uid, resourceVersion, labels: { app: name[0] ?? "" } },
  };
}

function recorded(cache: Cache<KubernetesObject>): string[] {
  const changes: string[] = [];
  cache.subscribe(({ before, after }: CacheChange<KubernetesObject>) => {
    changes.push(
      `${before?.metadata.resourceVersion ?? "-"} to ${after?.metadata.resourceVersion ?? "-"}`,
    );
  });
  return changes;
}

describe("Cache", () => {
  it("finds objects by an index, also after they changed and after they went", () => {
    const cache = new Cache<KubernetesObject>({
      app: (object) => [object.metadata.labels?.["app"] ?? ""],
    });
    cache.set(anObject("b1", "1"));
    cache.set(anObject("a2", "2"));
    cache.set(anObject("a1", "3"));
    expect(cache.indexed("app", "a").map((object) => object.metadata.name)).toEqual(["a1", "a2"]);
    const moved = anObject("a1", "4");
    moved.metadata.labels = { app: "b" };
    cache.set(moved);
    cache.delete("default/b1");
    expect(cache.indexed("app", "a").map((object) => object.metadata.name)).toEqual(["a2"]);
    expect(cache.indexed("app", "b").map((object) => object.metadata.name)).toEqual(["a1"]);
    expect(cache.indexed("app", "none")).toEqual([]);
  });

  it("finds an object under each of the values that it has, and under none that it had", () => {
    const cache = new Cache<KubernetesObject>({
      label: ({ metadata }) => Object.values(metadata.labels ?? {}),
    });
    const labelled = (resourceVersion: string, labels: Record<string, string>) => {
      const object = anObject("a", resourceVersion);
      cache.set({ ...object, metadata: { ...object.metadata, labels } });
      return ["x", "y", "z"].filter((value) => cache.indexed("label", value).length === 1);
    };
    expect(labelled("1", { one: "x", two: "y" })).toEqual(["x", "y"]);
    expect(labelled("2", { one: "x", two: "y" })).toEqual(["x", "y"]);
    expect(labelled("3", { one: "y", two: "z" })).toEqual(["y", "z"]);
    expect(labelled("4", { one: "z", two: "z" })).toEqual(["z"]);
    expect(labelled("5", {})).toEqual([]);
    expect(labelled("6", { one: "x" })).toEqual(["x"]);
    cache.delete("default/a");
    expect(cache.indexed("label", "x")).toEqual([]);
  });

  it("tells of an object once per version", () => {
    const cache = new Cache<KubernetesObject>();
    const changes = recorded(cache);
    cache.set(anObject("a", "1"));
    cache.set(anObject("a", "1"));
    cache.set(anObject("a", "2"));
    cache.delete("default/a");
    cache.delete("default/a");
    expect(changes).toEqual(["- to 1", "1 to 2", "2 to -"]);
  });

  it("tells of an object that was made anew under its name as gone and then new", () => {
    const cache = new Cache<KubernetesObject>();
    cache.set(anObject("a", "1", "first"));
    const changes = recorded(cache);
    cache.set(anObject("a", "5", "second"));
    expect(changes).toEqual(["1 to -", "- to 5"]);
  });

  it("a fresh list also tells of deletions that no watch told of", () => {
    const cache = new Cache<KubernetesObject>();
    cache.set(anObject("gone", "1"));
    cache.set(anObject("same", "2"));
    cache.set(anObject("changed", "3"));
    const changes = recorded(cache);
    cache.replace([anObject("same", "2"), anObject("changed", "4"), anObject("new", "5")]);
    expect(changes).toEqual(["1 to -", "3 to 4", "- to 5"]);
    expect(cache.size).toBe(3);
  });

  it("a list of one namespace says nothing of the others", () => {
    const cache = new Cache<KubernetesObject>();
    const elsewhere = anObject("b", "2");
    elsewhere.metadata.namespace = "elsewhere";
    cache.set(anObject("a", "1"));
    cache.set(elsewhere);
    cache.replace([], "default");
    expect([...cache.all()]).toEqual([elsewhere]);
  });
});
