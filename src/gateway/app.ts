/** The plain HTTP side of the gateway, which tells people and programs what runs. */
import { Hono } from "hono";
import type { GatewaySource } from "./gateway-source.ts";
import { landingPage, landingText } from "./landing-page.ts";
import {
  HOST_NOT_ALLOWED,
  refusalBody,
  refusalHeaders,
  refusalStatus,
  type GatewayRefusal,
} from "./refusal.ts";

export const RESOURCES_PATH = "/api/v1alpha1/resources";

const SECURITY_HEADERS = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

export function gatewayApp({
  source,
  isHostAllowed,
}: {
  source: GatewaySource;
  isHostAllowed: (header: string | undefined) => boolean;
}): Hono {
  const app = new Hono();
  const refuse = (refusal: GatewayRefusal): Response =>
    Response.json(refusalBody(refusal), {
      status: refusalStatus(refusal),
      headers: refusalHeaders(refusal),
    });

  app.use(async (context, next) => {
    if (isHostAllowed(context.req.header("host"))) await next();
    else context.res = refuse(HOST_NOT_ALLOWED);
    for (const [name, value] of Object.entries(SECURITY_HEADERS))
      context.res.headers.set(name, value);
  });
  app.get("/healthz", (context) => context.json({ status: "ok" }));
  app.get(RESOURCES_PATH, (context) => context.json({ items: source.resources() }));
  app.get("/", (context) => {
    const host = context.req.header("host") ?? "localhost";
    const wantsPage = context.req.header("accept")?.includes("text/html") ?? false;
    return wantsPage
      ? context.html(landingPage(source.resources(), host))
      : context.text(landingText(source.resources(), host));
  });
  app.get("/ws", () =>
    refuse({
      code: "UpgradeRequired",
      message: "this is a WebSocket address: ws://HOST/ws?agent=NAME",
    }),
  );
  app.notFound((context) =>
    refuse({ code: "NotFound", message: `there is nothing at ${context.req.path}` }),
  );
  return app;
}
