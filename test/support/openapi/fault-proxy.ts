/** Stands before a server of tools, and answers in its place what proxies, gateways and broken servers answer. */
import { request as httpRequest } from "node:http";
import { startHttpServer, type HttpServer } from "../processes/http-server.ts";

/** What a page of a proxy says, and nobody may learn. */
export const PAGE_WORDS = "upstream 10.9.8.7:8443 of shop.internal";
const PAGE = `<html><body><h1>Oops</h1>${PAGE_WORDS}</body></html>`;
/** Made once, so that who measures memory does not measure this. */
const LARGE = Buffer.from(JSON.stringify("x".repeat(10 * 1024 * 1024)));

export const FAULTS = [
  "404",
  "502",
  "html",
  "half-json",
  "html-as-json",
  "empty",
  "202",
  "redirect",
  "10-mb",
  "10-mb-error",
  "late",
  "reset",
  "text-404",
  "long-text-400",
] as const;
export type Fault = (typeof FAULTS)[number];

export interface FaultProxy extends HttpServer {
  /** What it plays. `undefined`: it passes all on. */
  fault: Fault | undefined;
}

export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const server = await startHttpServer((request, response) => {
    const { method, headers, url = "/" } = request;
    switch (proxy.fault) {
      case "404":
        response.writeHead(404, { "content-type": "text/html" }).end(PAGE);
        return;
      case "502":
        response.writeHead(502, { "content-type": "application/json" });
        response.end(JSON.stringify({ message: PAGE_WORDS }));
        return;
      case "html":
        response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(PAGE);
        return;
      case "half-json":
        response.writeHead(200, { "content-type": "application/json" });
        response.end(`{"from":"${PAGE_WORDS}","items":[`);
        return;
      case "html-as-json":
        response.writeHead(200, { "content-type": "application/json" }).end(PAGE);
        return;
      case "empty":
        response.writeHead(200, { "content-type": "application/json" }).end();
        return;
      case "202":
        response.writeHead(202).end();
        return;
      case "redirect":
        response.writeHead(307, { location: "http://169.254.169.254/latest/meta-data" }).end();
        return;
      case "10-mb":
      case "10-mb-error":
        response.writeHead(proxy.fault === "10-mb" ? 200 : 400, {
          "content-type": "application/json",
        });
        response.end(LARGE);
        return;
      case "late":
        return;
      case "reset":
        request.socket.resetAndDestroy();
        return;
      case "text-404":
        response.writeHead(404, { "content-type": "text/plain" }).end(`no route: ${PAGE_WORDS}`);
        return;
      case "long-text-400":
        response.writeHead(400, { "content-type": "text/plain" });
        response.end(`${PAGE_WORDS} `.repeat(100));
        return;
      case undefined: {
        const upstream = httpRequest(new URL(url, target), { method, headers }, (answer) => {
          response.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(response);
        });
        upstream.on("error", () => response.destroy());
        request.pipe(upstream);
      }
    }
  });
  const proxy: FaultProxy = { ...server, fault: undefined };
  return proxy;
}
