import type { CollectionTag, ScalarTag } from "yaml";

const TAG_PREFIX = "tag:yaml.org,2002:";
const KNOWN_TAGS = new Set(["map", "seq", "str", "null", "bool", "int", "float", "merge"]);

/**
 * The tags of YAML 1.1 that Kubernetes knows: times of day and dates stay texts. They write scalars as they were written, and put a
 * text into quotes only where it would be something else without.
 */
export function manifestTags(
  tags: (ScalarTag | CollectionTag | string)[],
): (ScalarTag | CollectionTag)[] {
  return tags.flatMap((tag) => {
    if (typeof tag === "string" || tag.format === "TIME") return [];
    if (!KNOWN_TAGS.has(tag.tag.replace(TAG_PREFIX, ""))) return [];
    return tag.format === "EXP" ? [orText(tag as ScalarTag)] : [tag];
  });
}

/** A number that is too great, like the hash 123e456, counts as text. */
function orText(tag: ScalarTag): ScalarTag {
  return {
    ...tag,
    resolve(text, ...rest) {
      const value = tag.resolve(text, ...rest);
      return Number.isFinite(value) ? value : text;
    },
  };
}
