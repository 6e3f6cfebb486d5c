export function ManifestPage() {
  return <h2>Manifest</h2>;
}
