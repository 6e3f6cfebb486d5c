export function RegistryPage() {
  return <h2>Tools</h2>;
}
