/**
 * Digests of named parts as one text, such as `config=1f3a,provider/api-key=77e0`. A part without a digest keeps the one that it had
 * in `previous`, so that a broken reference changes nothing.
 */
export function digestText(
  previous: string | undefined,
  parts: Iterable<readonly [name: string, digest: string | undefined]>,
): string {
  const before = new Map(
    (previous ?? "").split(",").map((part) => {
      const at = part.lastIndexOf("=");
      return [part.slice(0, at), part.slice(at + 1)] as const;
    }),
  );
  return [...parts]
    .flatMap(([name, digest]) => {
      const kept = digest ?? before.get(name);
      return kept === undefined ? [] : [`${name}=${kept}`];
    })
    .join(",");
}
