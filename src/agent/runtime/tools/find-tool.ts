/**
 * The tool that the model means. Packs and models may write `lookup_user` for `lookup-user` of a registry. A server
 * may leave blanks around a name.
 */
export function findTool<Tool extends { readonly name: string }>(
  tools: readonly Tool[],
  name: string,
): Tool | undefined {
  const bare = name.trim();
  return (
    tools.find((tool) => tool.name === name) ??
    tools.find((tool) => underscored(tool.name) === underscored(bare))
  );
}

function underscored(name: string): string {
  return name.replaceAll("-", "_");
}
