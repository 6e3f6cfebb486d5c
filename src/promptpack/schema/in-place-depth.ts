import type { SchemaNode } from "./schema-node.ts";

/** A node on the way, how many of its schemas were looked at, and the depth of the deepest of them. */
interface Step {
  readonly node: SchemaNode;
  next: number;
  below: number;
}

/** How many schemas judge the same value, one behind the other, at most: Infinity where they do so in a circle. */
export function inPlaceDepth(nodes: Iterable<SchemaNode>): number {
  const depths = new Map<SchemaNode, number>();
  const open = new Set<SchemaNode>();
  let deepest = 0;
  for (const start of nodes) {
    const way: Step[] = depths.has(start) ? [] : [{ node: start, next: 0, below: 0 }];
    for (let step = way.at(-1); step !== undefined; step = way.at(-1)) {
      open.add(step.node);
      const other = step.node.inPlace[step.next];
      const depth = other && depths.get(other);
      if (other === undefined) {
        depths.set(step.node, step.below + 1);
        deepest = Math.max(deepest, step.below + 1);
        open.delete(step.node);
        way.pop();
      } else if (depth !== undefined) {
        step.below = Math.max(step.below, depth);
        step.next += 1;
      } else if (open.has(other)) return Infinity;
      else way.push({ node: other, next: 0, below: 0 });
    }
  }
  return deepest;
}
