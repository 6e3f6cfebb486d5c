/** The page of the Helm chart's values, from values.yaml: its comments are the descriptions. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isMap, isScalar, parseDocument, type Pair, type YAMLMap } from "yaml";
import { code, page, table, type Page } from "./markdown.ts";

const SOURCE = "charts/omnia/values.yaml";

export function chartValuesPage(): Page {
  const text = readFileSync(join(import.meta.dirname, "../..", SOURCE), "utf8");
  const { contents } = parseDocument(text);
  if (!isMap(contents)) throw new Error(`${SOURCE} holds no map`);
  return page("reference/chart-values.md", { title: "Values of the Helm chart", source: SOURCE }, [
    "What `--set` and `--values` of `helm install` and `helm upgrade` take. A value that is not here is refused.",
    table(["value", "default", "what it does"], rowsOf(contents, "")),
  ]);
}

function rowsOf(map: YAMLMap, path: string): string[][] {
  return map.items.flatMap((pair, index) => {
    const name = `${path}${keyOf(pair)}`;
    const comment = commentBefore(pair, index === 0 ? map : undefined);
    if (isMap(pair.value) && pair.value.items.length > 0) {
      const own = comment === "" ? [] : [[code(name), "", comment]];
      return [...own, ...rowsOf(pair.value, `${name}.`)];
    }
    const value = JSON.stringify((pair.value as { toJSON(): unknown } | null)?.toJSON() ?? null);
    return [[code(name), code(value), comment]];
  });
}

/** As `--set` takes it. */
function keyOf({ key }: Pair): string {
  return isScalar(key) ? String(key.value).replaceAll(".", String.raw`\.`) : "";
}

/** The comment before the first key of a map belongs to the map, as YAML is read here. */
function commentBefore({ key }: Pair, map: YAMLMap | undefined): string {
  const comment = (isScalar(key) ? key.commentBefore : undefined) ?? map?.commentBefore ?? "";
  return comment
    .split("\n")
    .map((line) => line.trim())
    .join(" ")
    .trim();
}
