/**
 * The console at `/`. Its addresses all show the same page, which reads its own address, so that a link to one and a reload work. The page and its files
 * tell nothing of what runs, and so want no token: the API that the page asks does.
 */
import { Hono } from "hono";
import { answerFile } from "./answer-file.ts";
import type { ConsoleFiles } from "./console-files.ts";

/**
 * Nothing runs and nothing is loaded but the files beside the page. Scripts cannot turn texts into markup or into code; the one Trusted Types
 * policy names the address of a worker.
 */
export const CONSOLE_POLICY = [
  "default-src 'none'",
  ...["script-src", "style-src", "connect-src", "worker-src", "font-src"].map(
    (directive) => `${directive} 'self'`,
  ),
  "img-src 'self' data:",
  ...["base-uri", "form-action", "frame-ancestors"].map((directive) => `${directive} 'none'`),
  "require-trusted-types-for 'script'",
  "trusted-types omnia",
].join("; ");

const HEADERS = {
  "content-security-policy": CONSOLE_POLICY,
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
};

const PAGES = [
  /^\/(packs|tools)\/?$/,
  /^\/(packs|tools)\/[^/]+\/[^/]+\/?$/,
  /^\/agents\/[^/]+\/[^/]+\/?$/,
  /^\/agents\/[^/]+\/[^/]+\/(sessions(\/[^/]+)?|status|connect|manifest)\/?$/,
];

/** Whether a path other than `/` is one of the page's addresses. */
export function isConsolePath(path: string): boolean {
  return PAGES.some((page) => page.test(path));
}

/** At `/` a program that does not ask for a page is left to the next route. */
export function consoleRoutes({ page, assets }: ConsoleFiles): Hono {
  const app = new Hono();
  app.get("/assets/:name", async (context, next) => {
    const file = assets.get(context.req.param("name"));
    if (file === undefined) return next();
    return await answerFile(file, conditions(context.req), { headers: HEADERS });
  });
  app.get("*", async (context, next) => {
    const { path } = context.req;
    const wantsPage = context.req.header("accept")?.includes("text/html") ?? false;
    if (!(path === "/" ? wantsPage : isConsolePath(path))) return next();
    return await answerFile(page, conditions(context.req), {
      headers: HEADERS,
      vary: path === "/" ? ["accept"] : [],
    });
  });
  return app;
}

function conditions(request: { header(name: string): string | undefined }) {
  return {
    acceptEncoding: request.header("accept-encoding"),
    ifNoneMatch: request.header("if-none-match"),
  };
}
