/** The pages and their addresses. Each page is loaded when it is first opened. */
import { createRootRoute, createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { Shell } from "./layout/shell.tsx";
import { NotFound } from "./layout/not-found.tsx";
import { readSearch } from "./api/read-search.ts";

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

const agents = createRoute({
  getParentRoute: () => root,
  path: "/",
  validateSearch: readSearch("q", "ns", "phase"),
  component: lazyRouteComponent(() => import("./agents/agents-page.tsx"), "AgentsPage"),
});

const agent = createRoute({
  getParentRoute: () => root,
  path: "/agents/$namespace/$name",
  component: lazyRouteComponent(() => import("./agent/agent-frame.tsx"), "AgentFrame"),
});

const chat = createRoute({
  getParentRoute: () => agent,
  path: "/",
  validateSearch: readSearch("session"),
  component: lazyRouteComponent(() => import("./chat/chat-page.tsx"), "ChatPage"),
});

const sessions = createRoute({
  getParentRoute: () => agent,
  path: "sessions",
  validateSearch: readSearch("state", "version"),
  component: lazyRouteComponent(() => import("./sessions/sessions-page.tsx"), "SessionsPage"),
});

const session = createRoute({
  getParentRoute: () => agent,
  path: "sessions/$session",
  validateSearch: readSearch("show"),
  component: lazyRouteComponent(() => import("./timeline/session-page.tsx"), "SessionPage"),
});

const status = createRoute({
  getParentRoute: () => agent,
  path: "status",
  component: lazyRouteComponent(() => import("./agent/status-page.tsx"), "StatusPage"),
});

const connect = createRoute({
  getParentRoute: () => agent,
  path: "connect",
  component: lazyRouteComponent(() => import("./agent/connect-page.tsx"), "ConnectPage"),
});

const manifest = createRoute({
  getParentRoute: () => agent,
  path: "manifest",
  component: lazyRouteComponent(() => import("./agent/manifest-page.tsx"), "ManifestPage"),
});

const packs = createRoute({
  getParentRoute: () => root,
  path: "/packs",
  validateSearch: readSearch("q", "ns"),
  component: lazyRouteComponent(() => import("./packs/packs-page.tsx"), "PacksPage"),
});

const pack = createRoute({
  getParentRoute: () => root,
  path: "/packs/$namespace/$name",
  validateSearch: readSearch("a", "b"),
  component: lazyRouteComponent(() => import("./packs/pack-page.tsx"), "PackPage"),
});

const tools = createRoute({
  getParentRoute: () => root,
  path: "/tools",
  validateSearch: readSearch("q", "ns"),
  component: lazyRouteComponent(() => import("./tools/registries-page.tsx"), "RegistriesPage"),
});

const registry = createRoute({
  getParentRoute: () => root,
  path: "/tools/$namespace/$name",
  validateSearch: readSearch("tool"),
  component: lazyRouteComponent(() => import("./tools/registry-page.tsx"), "RegistryPage"),
});

export const routeTree = root.addChildren([
  agents,
  agent.addChildren([chat, sessions, session, status, connect, manifest]),
  packs,
  pack,
  tools,
  registry,
]);
