import { useQuery } from "@tanstack/react-query";
import { callerQuery } from "./queries.ts";

/** Who the caller is to the API. */
export function useCaller() {
  return useQuery(callerQuery);
}
