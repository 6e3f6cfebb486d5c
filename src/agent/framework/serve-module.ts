/** Serves a JavaScript module in AG-UI. */
import { once } from "node:events";
import { statSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { registerHooks } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import type { Log } from "../../observability/log.ts";
import { LOOPBACK } from "./free-port.ts";

export interface ModuleHostOptions {
  /** A path, relative to the folder, or the name of a package that is installed there. */
  readonly module: string;
  readonly port: number;
  readonly folder: string;
  readonly log: Log;
}

/** The agent sends a history within its budget, which is far smaller. */
const MAX_INPUT_BYTES = 64 * 1024 * 1024;

const inputSchema = z.looseObject({ threadId: z.string(), runId: z.string() });
type Input = z.output<typeof inputSchema>;
type Run = (input: Input, options: { signal: AbortSignal }) => unknown;

const moduleSchema = z.object({
  run: z.custom<Run>((value) => typeof value === "function").optional(),
  default: z.unknown().optional(),
});

export async function startModuleHost(options: ModuleHostOptions): Promise<Server> {
  const run = await loadRun(options);
  const server = createServer(
    (request, response) => void answer({ run, log: options.log }, request, response),
  );
  server.listen(options.port, LOOPBACK);
  await once(server, "listening");
  return server;
}

async function loadRun({ module, folder }: ModuleHostOptions): Promise<Run> {
  const loaded = moduleSchema.parse(await importFrom(folder, module));
  const nested = moduleSchema.safeParse(loaded.default);
  const run =
    loaded.run ??
    nested.data?.run ??
    (typeof loaded.default === "function" ? (loaded.default as Run) : undefined);
  if (run === undefined) throw new Error(`${module} exports no function "run"`);
  return run;
}

/** A package may give its main module to imports alone, so it is resolved as an import in the folder. */
async function importFrom(folder: string, module: string): Promise<unknown> {
  const path = resolve(folder, module);
  const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  if (isFile) return await import(pathToFileURL(path).href);
  const parentURL = pathToFileURL(resolve(folder, "package.json")).href;
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, specifier === module ? { ...context, parentURL } : context),
  });
  try {
    return await import(module);
  } finally {
    hooks.deregister();
  }
}

async function answer(
  { run, log }: { run: Run; log: Log },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== "POST") {
    response.writeHead(request.method === "GET" ? 200 : 405).end();
    return;
  }
  const stop = new AbortController();
  response.once("close", () => stop.abort());
  let input: Input;
  try {
    input = inputSchema.parse(JSON.parse(await bodyOf(request)));
  } catch {
    response.writeHead(400).end();
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  const { threadId, runId } = input;
  const send = async (event: object): Promise<void> => {
    if (stop.signal.aborted || response.write(`data: ${JSON.stringify(event)}\n\n`)) return;
    await once(response, "drain", { signal: stop.signal }).catch(() => {});
  };
  try {
    await send({ type: "RUN_STARTED", threadId, runId });
    const hasEnded = await sendRun(run(input, { signal: stop.signal }), { runId, send, stop });
    if (!hasEnded) await send({ type: "RUN_FINISHED", threadId, runId });
  } catch (error) {
    if (!stop.signal.aborted) {
      // What went wrong is for the log alone.
      log.error({ error }, "The module failed");
      await send({ type: "RUN_ERROR", message: "the module failed" });
    }
  } finally {
    response.end();
  }
}

/** Sends what the module yields: texts become one message, and objects are events. Answers whether the module ended the run. */
async function sendRun(
  result: unknown,
  {
    runId,
    send,
    stop,
  }: { runId: string; send: (event: object) => Promise<void>; stop: AbortController },
): Promise<boolean> {
  const messageId = `${runId}-answer`;
  let isOpen = false;
  for await (const piece of piecesOf(await result)) {
    if (stop.signal.aborted) return true;
    if (typeof piece === "string") {
      if (piece === "") continue;
      if (!isOpen) await send({ type: "TEXT_MESSAGE_START", messageId, role: "assistant" });
      isOpen = true;
      await send({ type: "TEXT_MESSAGE_CONTENT", messageId, delta: piece });
      continue;
    }
    const event = z.looseObject({ type: z.string() }).parse(piece);
    if (event.type === "RUN_STARTED") continue;
    await send(event);
    if (event.type === "RUN_FINISHED" || event.type === "RUN_ERROR") return true;
  }
  if (isOpen) await send({ type: "TEXT_MESSAGE_END", messageId });
  return false;
}

async function* piecesOf(result: unknown): AsyncGenerator {
  if (typeof result === "string") yield result;
  else if (result !== undefined && result !== null) yield* result as AsyncIterable<unknown>;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_INPUT_BYTES) throw new Error("the request is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
