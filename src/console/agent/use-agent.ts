import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { agentQuery } from "../api/queries.ts";

const route = getRouteApi("/agents/$namespace/$name");

/** The agent whose page is shown. */
export function useAgent() {
  const { namespace, name } = route.useParams();
  return { namespace, name, ...useQuery(agentQuery(namespace, name)) };
}
