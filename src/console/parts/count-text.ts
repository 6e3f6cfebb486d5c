/** Counts as people read them: as the command line writes them, whatever the language of the browser. */

/** `12,345`. */
export function numberText(count: number): string {
  return count.toLocaleString("en-US");
}

/** `1 turn`, `1,234 turns`. */
export function countText(count: number, one: string): string {
  return `${numberText(count)} ${count === 1 ? one : `${one}s`}`;
}

/** `1,024 + 96 tokens`: those that went in, and those that came out. */
export function tokensText(input: number, output: number): string {
  return `${numberText(input)} + ${numberText(output)} tokens`;
}
