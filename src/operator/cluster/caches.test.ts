import { describe, expect, it } from "vitest";
import type { KubernetesObject } from "../../kube/client/object.ts";
import type { Cache } from "../../kube/watch/cache.ts";
import { createCaches } from "./caches.ts";

describe("createCaches", () => {
  it.each(["agentRuntimes", "promptPacks", "toolRegistries"] as const)(
    "of %s, one that is of another schema is held and refers to nothing",
    (kind) => {
      const cache: Cache<KubernetesObject> = createCaches()[kind] as never;
      for (const spec of [undefined, null, {}, { tools: 1, source: [], facade: "none" }]) {
        const metadata = {
          name: "old",
          namespace: "team",
          resourceVersion: JSON.stringify({ spec }),
        };
        const object = { metadata, spec };
        cache.set(object);
        expect(cache.get("team/old")).toBe(object);
      }
    },
  );
});
