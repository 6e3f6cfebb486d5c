/** Serves a folder of files on loopback, as a host of static pages does. `make docs-serve` shows the website with it. */
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
};
const DEFAULT_PORT = 4321;

export interface FolderServer extends AsyncDisposable {
  readonly url: string;
}

export async function serveFolder(folder: string, port: number): Promise<FolderServer> {
  const server = createServer((request, response) => {
    const file = fileOf(folder, request.url ?? "/");
    if (file === undefined) {
      response.writeHead(404, { "content-type": "text/html; charset=utf-8" });
      createReadStream(join(folder, "404.html")).pipe(response);
      return;
    }
    response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Nothing outside of the folder, whatever the path says. */
function fileOf(folder: string, url: string): string | undefined {
  const path = normalize(decodeURIComponent(new URL(url, "http://localhost").pathname));
  const candidates = [join(folder, path), join(folder, path, "index.html")];
  return candidates.find(
    (candidate) => statSync(candidate, { throwIfNoEntry: false })?.isFile() === true,
  );
}

if (import.meta.main) {
  const [folder = join(import.meta.dirname, "dist"), port = String(DEFAULT_PORT)] =
    process.argv.slice(2);
  const { url } = await serveFolder(folder, Number(port));
  process.stdout.write(`${url} shows ${folder}. Ctrl-C ends it.\n`);
}
