/** What the runtime handler adds to the time until the first chunk of an answer, against a bare `fetch` of the same stream. */
import type { Measurement } from "./bench.ts";
import { MeasuredProcess } from "./measured-process.ts";
import { median } from "./median.ts";
import { runtimeConfig } from "./runtime-config.ts";
import { TurnClient } from "./turn-client.ts";

const WARM_UP_TURNS = 200;
const TURNS = 300;
/** A session of its own for so many turns: what is measured is not the length of the history. */
const TURNS_PER_SESSION = 10;
const TARGET_MS = 3;

export async function measureFirstChunk(): Promise<Measurement[]> {
  await using provider = await MeasuredProcess.start("stream-server.ts");
  const baseURL = `http://127.0.0.1:${provider.port}/v1`;
  await using agent = await MeasuredProcess.startAgent(runtimeConfig(baseURL), { key: "no-key" });
  await firstChunks(agent, baseURL, WARM_UP_TURNS);
  const times = await firstChunks(agent, baseURL, TURNS);
  const ofAgent = median(times.map((time) => time.agent));
  const ofFetch = median(times.map((time) => time.fetch));
  const added = ofAgent - ofFetch;
  return [
    {
      what: "Time that runtime adds to the first chunk, at one stream",
      measured: `${ofAgent.toFixed(2)} ms`,
      floor: `${ofFetch.toFixed(2)} ms (bare fetch)`,
      result: `${added.toFixed(2)} ms, ${(ofAgent / ofFetch).toFixed(2)} times the floor`,
      target: `≤ ${TARGET_MS} ms`,
      withinTarget: added <= TARGET_MS,
    },
  ];
}

/** One after the other, so that the two have the same machine. */
async function firstChunks(
  agent: MeasuredProcess,
  baseURL: string,
  turns: number,
): Promise<{ agent: number; fetch: number }[]> {
  const times: { agent: number; fetch: number }[] = [];
  let client = await TurnClient.connect(agent.port);
  for (let turn = 0; turn < turns; turn++) {
    if (turn % TURNS_PER_SESSION === 0) {
      client.close();
      client = await TurnClient.connect(agent.port);
    }
    const ofAgent = await client.firstChunk("Tell me something.");
    times.push({ agent: ofAgent, fetch: await fetchFirstChunk(baseURL) });
  }
  client.close();
  return times;
}

async function fetchFirstChunk(baseURL: string): Promise<number> {
  const started = performance.now();
  const response = await fetch(`${baseURL}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer no-key" },
    body: JSON.stringify({
      model: "m",
      stream: true,
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "Tell me something." },
      ],
    }),
  });
  let firstChunk: number | undefined;
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    if (firstChunk !== undefined) continue;
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.includes('"delta":{"content":"word')) firstChunk = performance.now() - started;
  }
  if (firstChunk === undefined) throw new Error("the stream had no chunk");
  return firstChunk;
}
