export interface NumberedNames {
  next(): string;
  /** What `next` will give. */
  peek(): string;
}

/** Names that no test of the file has used before: `team-1`, `team-2`, … */
export function numberedNames(prefix: string): NumberedNames {
  let last = 0;
  return { next: () => `${prefix}-${++last}`, peek: () => `${prefix}-${last + 1}` };
}
