export function SessionPage() {
  return <h2>Session</h2>;
}
