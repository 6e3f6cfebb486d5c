import { QueryClient } from "@tanstack/react-query";
import { ApiFailure } from "../api/api-failure.ts";

const RETRIES = 2;

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // What changes is told by the stream. A page that is opened again shows what is known, and asks beside it.
        staleTime: 5_000,
        refetchOnWindowFocus: false,
        retry: (failures, error) =>
          failures < RETRIES && !(error instanceof ApiFailure && !error.mayPass),
      },
    },
  });
}
