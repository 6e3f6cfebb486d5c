/** Calls whose name came in pieces, each of which the provider's package took for the name of a call. */
interface NamedCall {
  readonly name: string;
  readonly input: string;
}

/**
 * Joins calls that were made of one. The nth part of a call is that of the nth call. `names` are those of the tools that the
 * model was offered.
 */
export function joinSplitNames<Call extends NamedCall, Part extends { readonly type: string }>(
  { toolCalls, parts }: { toolCalls: readonly Call[]; parts: readonly Part[] },
  names: ReadonlySet<string>,
): { toolCalls: Call[]; parts: Part[] } {
  const calls: Call[] = [];
  const left = new Set(parts);
  const partsOfCalls = parts.filter(({ type }) => type === "tool-call");
  let end = 0;
  for (const [at, call] of toolCalls.entries()) {
    if (at < end) continue;
    end = at + Math.max(1, piecesAt(toolCalls, at, names));
    const pieces = toolCalls.slice(at, end);
    const name = pieces.map((piece) => piece.name).join("");
    calls.push({ ...call, name, input: pieces.at(-1)?.input ?? call.input });
    for (const part of partsOfCalls.slice(at + 1, end)) left.delete(part);
  }
  return { toolCalls: calls, parts: [...left] };
}

/** How many calls from this one on make up the name of a tool. All but the last one have no arguments. */
function piecesAt(calls: readonly NamedCall[], at: number, names: ReadonlySet<string>): number {
  let name = "";
  for (const [count, call] of calls.slice(at).entries()) {
    name += call.name;
    if (names.has(name)) return count + 1;
    if (!/^\s*(\{\s*\})?\s*$/.test(call.input)) return 0;
  }
  return 0;
}
