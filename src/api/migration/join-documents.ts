/** Joins the texts of some files into one YAML stream. */
export function joinDocuments(texts: readonly string[]): string {
  return texts
    .map((text) => (text === "" || text.endsWith("\n") ? text : `${text}\n`))
    .filter((text) => text.trim() !== "")
    .map((text, index) => (index === 0 || /^---(?=\s|$)/.test(text) ? text : `---\n${text}`))
    .join("");
}
