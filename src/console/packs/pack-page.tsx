export function PackPage() {
  return <h2>Pack</h2>;
}
