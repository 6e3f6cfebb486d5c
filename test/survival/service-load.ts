/**
 * What clients notice of an agent while its replicas come and go: sessions that talk all the time and resume, and fresh connections
 * at a steady rate, through one address, such as that of a Service in a cluster. Run by hand beside a rollout, a drain or a change of
 * scale; the agent's model has to answer as `answerOf` says:
 *
 *     node test/survival/service-load.ts ws://10.96.0.20:8080/ws 60
 *
 * talks for 60 s, then lets all turns end, prints figures, and exits with 1 when somebody lost something.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { survivalRandom } from "./random.ts";
import { SurvivalTalker } from "./talker.ts";
import { aSurvivalTurn } from "./turn.ts";
import { breachesOfTalker } from "./verdict.ts";

export interface ServiceLoad {
  readonly url: string;
  readonly streams: number;
  readonly connectsPerSecond: number;
  readonly pieces: { readonly from: number; readonly to: number };
  readonly seed: string;
}

export interface LoadFigures {
  readonly turns: number;
  readonly frames: number;
  /** How often a session lost its connection and made another one. */
  readonly reconnects: number;
  /** What each session lost, saw twice or out of order, or was told instead of an answer. */
  readonly breaches: readonly string[];
  readonly connects: number;
  readonly slowestConnectMs: number;
  /** Of the connects that were refused, broke, or took longer than the limit: when (in seconds of the load), and what became of them. */
  readonly failedConnects: readonly string[];
}

/** A connect that takes longer has failed to whoever waits for it. */
const CONNECT_LIMIT_MS = 2_000;

/** Runs until `calm` is aborted; turns that run then come to their end. */
export async function loadService(load: ServiceLoad, calm: AbortSignal): Promise<LoadFigures> {
  const { url, streams, pieces } = load;
  const random = survivalRandom(load.seed);
  const breaches: string[] = [];
  const over = new AbortController();
  const target = [{ url, isOffered: true }];
  const talkers = Array.from(
    { length: streams },
    (_, session) => new SurvivalTalker(random.fork(`talker ${session}`)),
  );

  async function talk(talker: SurvivalTalker, session: number): Promise<void> {
    for (let turn = 0; !calm.aborted; turn++)
      await talker.talk(
        { ...aSurvivalTurn(session, turn, random, pieces), pays: false },
        over.signal,
      );
  }

  try {
    await Promise.all(talkers.map((talker) => talker.connect(target, over.signal)));
    const [connects] = await Promise.all([
      connectSteadily(load, calm),
      ...talkers.map((talker, session) =>
        talk(talker, session).catch((error: unknown) => {
          breaches.push(`session ${session} was given up: ${String(error)}`);
        }),
      ),
    ]);
    for (const talker of talkers) breaches.push(...breachesOfTalker(talker));
    return {
      ...connects,
      turns: talkers.reduce((sum, { talks }) => sum + talks.length, 0),
      frames: talkers.reduce((sum, { frames }) => sum + frames.length, 0),
      reconnects: talkers.reduce((sum, { connections }) => sum + connections - 1, 0),
      breaches,
    };
  } finally {
    over.abort();
    for (const talker of talkers) talker.close();
  }
}

type ConnectFigures = Pick<LoadFigures, "connects" | "slowestConnectMs" | "failedConnects">;

async function connectSteadily(load: ServiceLoad, calm: AbortSignal): Promise<ConnectFigures> {
  const begun = performance.now();
  const failedConnects: string[] = [];
  const running = new Set<Promise<void>>();
  let connects = 0;
  let slowestConnectMs = 0;

  async function connect(): Promise<void> {
    const at = performance.now();
    const end = await endOfConnect(load.url);
    const tookMs = performance.now() - at;
    slowestConnectMs = Math.max(slowestConnectMs, tookMs);
    const seconds = ((at - begun) / 1_000).toFixed(1);
    if (end !== "greeted") failedConnects.push(`${seconds} s: ${end}`);
    else if (tookMs > CONNECT_LIMIT_MS)
      failedConnects.push(`${seconds} s: greeted after ${Math.round(tookMs)} ms`);
  }

  while (!calm.aborted) {
    const due = ((performance.now() - begun) / 1_000) * load.connectsPerSecond;
    for (; connects < due; connects++) {
      const one: Promise<void> = connect().finally(() => running.delete(one));
      running.add(one);
    }
    await sleep(10);
  }
  await Promise.all(running);
  return { connects, slowestConnectMs: Math.round(slowestConnectMs), failedConnects };
}

function endOfConnect(url: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, {
      perMessageDeflate: false,
      handshakeTimeout: 5 * CONNECT_LIMIT_MS,
    });
    socket.on("error", (error) => resolve(error.message));
    socket.on("close", (code) => resolve(`closed with ${code} before a greeting`));
    socket.on("message", () => {
      resolve("greeted");
      socket.close(1000);
    });
  });
}

if (import.meta.main) {
  const [url, seconds = "60", streams = "100", connectsPerSecond = "100"] = process.argv.slice(2);
  if (url === undefined) throw new Error("give the address of the agent: ws://…");
  const load: ServiceLoad = {
    url,
    streams: Number(streams),
    connectsPerSecond: Number(connectsPerSecond),
    // The turns of a model that says a piece each 100 ms take some ten seconds.
    pieces: { from: 80, to: 120 },
    seed: String(Date.now()),
  };
  const figures = await loadService(load, AbortSignal.timeout(Number(seconds) * 1_000));
  process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
  if (figures.breaches.length + figures.failedConnects.length > 0) process.exitCode = 1;
}
