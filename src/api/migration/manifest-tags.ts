import type { CollectionTag, ScalarTag } from "yaml";

const TAG_PREFIX = "tag:yaml.org,2002:";
const KNOWN_TAGS = new Set(["map", "seq", "str", "null", "bool", "int", "float", "merge"]);

/** The tags of YAML 1.1 that Kubernetes knows: times of day and dates stay texts. */
export function manifestTags(
  tags: (ScalarTag | CollectionTag | string)[],
): (ScalarTag | CollectionTag)[] {
  return tags.filter(
    (tag): tag is ScalarTag | CollectionTag =>
      typeof tag !== "string" &&
      tag.format !== "TIME" &&
      KNOWN_TAGS.has(tag.tag.replace(TAG_PREFIX, "")),
  );
}
