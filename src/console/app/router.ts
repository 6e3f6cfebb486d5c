import { createRouter } from "@tanstack/react-router";
import { routeTree } from "../routes.ts";

export function createConsoleRouter() {
  return createRouter({
    routeTree,
    defaultPreload: "intent",
    scrollRestoration: true,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createConsoleRouter>;
  }
}
