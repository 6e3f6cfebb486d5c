/** The frame of an agent's pages: its name, its state, and the tabs. */
import { Link, Outlet, getRouteApi } from "@tanstack/react-router";

const route = getRouteApi("/agents/$namespace/$name");

export function AgentFrame() {
  const { namespace, name } = route.useParams();
  const params = { namespace, name };
  return (
    <>
      <h1>{name}</h1>
      <nav aria-label="Agent">
        <Link to="/agents/$namespace/$name" params={params} activeOptions={{ exact: true }}>
          Chat
        </Link>
        <Link to="/agents/$namespace/$name/sessions" params={params}>
          Sessions
        </Link>
        <Link to="/agents/$namespace/$name/status" params={params}>
          Status
        </Link>
        <Link to="/agents/$namespace/$name/connect" params={params}>
          Connect
        </Link>
        <Link to="/agents/$namespace/$name/manifest" params={params}>
          Manifest
        </Link>
      </nav>
      <Outlet />
    </>
  );
}
