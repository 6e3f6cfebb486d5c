import { describe, expect, it } from "vitest";
import { keepDraft, readDraft } from "./draft.ts";

describe("a draft", () => {
  it("is there again, each beside its conversation", () => {
    const store = aStore();
    keepDraft(store, "team/helper:s1", "half a sentence");
    expect(readDraft(store, "team/helper:s1")).toBe("half a sentence");
    expect(readDraft(store, "team/helper:s2")).toBe("");
  });

  it("is gone once it is empty", () => {
    const store = aStore();
    keepDraft(store, "a", "x");
    keepDraft(store, "a", "");
    expect(store.size()).toBe(0);
  });

  it("is not kept where there is no room for it", () => {
    const store = aStore();
    keepDraft(store, "a", "x".repeat(65_537));
    expect(store.size()).toBe(0);
    const full = {
      ...aStore(),
      setItem: () => {
        throw new Error("full");
      },
    };
    expect(() => keepDraft(full, "a", "x")).not.toThrow();
  });
});

function aStore() {
  const items = new Map<string, string>();
  return {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
    size: () => items.size,
  };
}
