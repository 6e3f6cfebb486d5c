export function PacksPage() {
  return <h2>Packs</h2>;
}
