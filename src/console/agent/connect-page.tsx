export function ConnectPage() {
  return <h2>Connect</h2>;
}
