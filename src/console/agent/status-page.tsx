export function StatusPage() {
  return <h2>Status</h2>;
}
