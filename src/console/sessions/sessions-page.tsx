export function SessionsPage() {
  return <h2>Sessions</h2>;
}
