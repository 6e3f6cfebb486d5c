/** What the screenshots show: `omnia up` with four agents, of which one lacks its key, and a pack with a canary. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Manifests, OmniaUp } from "../e2e/omnia-up.ts";
import { eventually } from "../e2e/eventually.ts";
import { startModelServer } from "../support/agent/model-server.ts";
import { startHttpServer } from "../support/processes/http-server.ts";

const FILES = join(import.meta.dirname, "manifests");
export const QUESTION = "Where is my order A-1042, and can I still change the address?";
const ANSWER = `Order **A-1042** left the warehouse this morning and arrives **tomorrow before noon**.

The address can no longer be changed, but you have two options:

1. Have it kept at the post office, for 7 days.
2. Send it back, which is free:

| until | costs |
|---|---|
| 30 days | nothing |
| 60 days | 4 € |

Shall I have it kept at the post office?`;
const ORDER = { order: "A-1042", state: "shipped", arrives: "tomorrow", carrier: "Post" };

export interface PicturedProgram extends AsyncDisposable {
  readonly url: string;
}

export async function startPicturedProgram(): Promise<PicturedProgram> {
  await using stack = new AsyncDisposableStack();
  const model = stack.use(await startModelServer());
  model.mock.on(
    { hasToolResult: false },
    { toolCalls: [{ id: "call_1", name: "order-status", arguments: '{"order":"A-1042"}' }] },
  );
  model.mock.on({ hasToolResult: true }, { content: ANSWER });
  const tool = stack.use(
    await startHttpServer((_, response) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(ORDER));
    }),
  );
  const manifests = stack.use(await Manifests.copyOf("quickstart"));
  await manifests.write("agent.yaml", await readFile(join(FILES, "others.yaml"), "utf8"));
  const support = await readFile(join(FILES, "support.yaml"), "utf8");
  const served = support.replace("MODEL_URL", model.url).replace("TOOL_URL", `${tool.url}/orders`);
  await manifests.write("support.yaml", served);
  const up = stack.use(await OmniaUp.start({ files: [manifests.folder] }));
  await up.runs("support", 2);
  for (const name of ["quickstart", "translator"]) await up.runs(name);
  await up.agentBecomes("billing", ({ status }) => status.phase === "Pending");
  // The version on trial.
  const edited = served
    .replaceAll("1.4.0", "1.5.0")
    .replace("Be brief.", "Be brief, and offer what can be done next.");
  await manifests.write("support.yaml", edited);
  await eventually("the canary", async () =>
    (await up.resources()).find(
      ({ kind, status }) => kind === "PromptPack" && status.phase === "Canary",
    ),
  );
  const started = stack.move();
  return { url: up.url, [Symbol.asyncDispose]: () => started.disposeAsync() };
}
