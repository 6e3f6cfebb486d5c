/** The tool that the model means. Packs and models may write `lookup_user` for `lookup-user` of a registry. */
export function findTool<Tool extends { readonly name: string }>(
  tools: readonly Tool[],
  name: string,
): Tool | undefined {
  return (
    tools.find((tool) => tool.name === name) ??
    tools.find((tool) => underscored(tool.name) === underscored(name))
  );
}

function underscored(name: string): string {
  return name.replaceAll("-", "_");
}
