export function RegistriesPage() {
  return <h2>Tools</h2>;
}
