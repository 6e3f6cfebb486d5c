import { Link } from "@tanstack/react-router";

export function NotFound() {
  return (
    <main>
      <h1>There is nothing at this address</h1>
      <p>
        <Link to="/">Go to the agents</Link>
      </p>
    </main>
  );
}
