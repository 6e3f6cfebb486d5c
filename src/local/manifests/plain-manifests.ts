/** Parsed manifests as data that one thread can send to another. */
import type { ManifestResource, Manifests } from "../../api/manifest/manifest.ts";
import type { Position } from "../../api/manifest/text-positions.ts";

export interface ManifestText {
  readonly text: string;
  readonly file: string;
}

export interface PlainManifests extends Omit<Manifests, "resources"> {
  readonly resources: readonly {
    readonly resource: Omit<ManifestResource, "positionOf">;
    readonly start: Position;
    readonly name: Position;
  }[];
}

export function toPlain({ resources, ...rest }: Manifests): PlainManifests {
  return {
    ...rest,
    resources: resources.map(({ positionOf, ...resource }) => ({
      resource,
      start: positionOf([]),
      name: positionOf(["metadata", "name"]),
    })),
  };
}

/** The resources know the positions of their names. For every other field they name their beginning. */
export function fromPlain({ resources, ...rest }: PlainManifests): Manifests {
  return {
    ...rest,
    resources: resources.map(({ resource, start, name }) => {
      const positionOf: ManifestResource["positionOf"] = ([first, second]) =>
        first === "metadata" && second === "name" ? name : start;
      return { ...resource, positionOf } as ManifestResource;
    }),
  };
}
