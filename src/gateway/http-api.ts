/** The plain HTTP side of the gateway, which tells people and programs what runs. */
import type { IncomingMessage } from "node:http";
import type { HttpBindings } from "@hono/node-server";
import { Hono, type MiddlewareHandler } from "hono";
import { API_PREFIX } from "../http-api/paths.ts";
import type { Access } from "./access.ts";
import type { ApiHandler } from "./api-handler.ts";
import type { GatewaySource } from "./gateway-source.ts";
import type { ConsoleFiles } from "./console/console-files.ts";
import { consoleRoutes, isConsolePath } from "./console/console-routes.ts";
import { landingText } from "./landing-text.ts";
import {
  UNAUTHORIZED,
  refusalBody,
  refusalHeaders,
  refusalStatus,
  type GatewayRefusal,
} from "./refusal.ts";

const SECURITY_HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

export interface AppOptions {
  readonly source: GatewaySource;
  /** Why a request is not answered at all, whatever it asks for. */
  readonly refusalOf: (request: IncomingMessage) => GatewayRefusal | undefined;
  /** What opens the pages and the API. Undefined where everybody who reaches them may read them. */
  readonly access: () => Access | undefined;
  /** Nothing but `/healthz` is told, whoever asks. */
  readonly isClosed?: boolean | undefined;
  /** The page for people. Without it they get the text that programs get. */
  readonly console?: ConsoleFiles | undefined;
  /** Answers what is below `API_PREFIX`. */
  readonly api?: ApiHandler | undefined;
}

export function gatewayApp({
  source,
  refusalOf,
  access,
  isClosed = false,
  console,
  api,
}: AppOptions): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>();
  const refuse = (refusal: GatewayRefusal): Response =>
    Response.json(refusalBody(refusal), {
      status: refusalStatus(refusal),
      headers: refusalHeaders(refusal),
    });

  app.use(async (context, next) => {
    const refusal = refusalOf(context.env.incoming);
    if (refusal === undefined) await next();
    else context.res = refuse(refusal);
    for (const [name, value] of Object.entries(SECURITY_HEADERS))
      if (!context.res.headers.has(name)) context.res.headers.set(name, value);
  });
  app.get("/healthz", (context) => context.json({ status: "ok" }));
  app.get("/ws", () =>
    refuse({
      code: "UpgradeRequired",
      message: "this is a WebSocket address: ws://HOST/ws?agent=NAME",
    }),
  );
  const isPage = (path: string): boolean =>
    path === "/healthz" ||
    path === "/ws" ||
    (path === "/" && (!isClosed || console !== undefined)) ||
    (console !== undefined && isConsolePath(path));
  app.notFound((context) => {
    const { path, method } = context.req;
    const isRead = method === "GET" || method === "HEAD";
    return isRead || !isPage(path)
      ? refuse({ code: "NotFound", message: `there is nothing at ${path}` })
      : refuse({
          code: "MethodNotAllowed",
          message: `${path} takes GET and HEAD and no other method`,
        });
  });
  // What it opens is for those who have the token. They alone learn which paths there are.
  const requireAccess: MiddlewareHandler<{ Bindings: HttpBindings }> = async (context, next) => {
    const wanted = access();
    if (wanted === undefined || wanted.isGrantedTo(context.env.incoming)) return next();
    return refuse(UNAUTHORIZED);
  };
  if (api !== undefined) {
    app.all(`${API_PREFIX}/*`, requireAccess, (context) => api(context.req.raw, context.env));
  }
  if (console !== undefined) app.route("/", consoleRoutes(console));
  if (isClosed) return app;
  app.use(requireAccess);
  app.get("/", (context) => {
    const host = context.req.header("host") ?? "localhost";
    return context.text(landingText(source.resources(), host));
  });
  return app;
}
