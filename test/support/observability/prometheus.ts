/** A real Prometheus of a test's own: on a free port of the loopback, with a temporary folder, gone afterwards. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { installed } from "../processes/installed.ts";

const run = promisify(execFile);
const INSTALL = join(import.meta.dirname, "prometheus-install");
/** The first time it is fetched. */
export const PROMETHEUS_TIMEOUT_MS = 300_000;

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

export interface Prometheus extends AsyncDisposable {
  readonly url: string;
  /** Rejects with what Prometheus says of an expression that it does not take. */
  query(expression: string): Promise<readonly Sample[]>;
}

export interface PrometheusOptions {
  /** Management ports of this machine by the names of their pods. */
  readonly targets?: Readonly<Record<string, number>> | undefined;
  /** More of `scrape_configs`, in the form of Prometheus. */
  readonly scrapes?: readonly object[] | undefined;
  readonly rules?: string | undefined;
  /** The address where it is reached. */
  readonly host?: string | undefined;
}

/** Scrapes every second, as the monitors of the chart have it done: the labels of the metrics stay. */
export async function startPrometheus({
  targets = {},
  scrapes = [],
  rules = "groups: []",
  host = "127.0.0.1",
}: PrometheusOptions): Promise<Prometheus> {
  const programs = await prometheusPrograms();
  const folder = await mkdtemp(join(tmpdir(), "omnia-prometheus-"));
  await writeFile(join(folder, "rules.yaml"), rules);
  const config = {
    global: { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" },
    rule_files: ["rules.yaml"],
    scrape_configs: [
      ...Object.entries(targets).map(([name, port]) => ({
        job_name: name,
        honor_labels: true,
        static_configs: [{ targets: [`127.0.0.1:${port}`], labels: { pod: `${name}-0` } }],
      })),
      ...scrapes,
    ],
  };
  await writeFile(join(folder, "prometheus.yaml"), stringify(config));
  const address = `${host}:${await freePort(host)}`;
  const child = spawn(
    join(programs, "prometheus"),
    [
      `--config.file=${join(folder, "prometheus.yaml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=${address}`,
      "--log.level=error",
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  return {
    url: `http://${address}`,
    async query(expression) {
      const url = new URL(`http://${address}/api/v1/query`);
      url.searchParams.set("query", expression);
      const answer = (await (await fetch(url)).json()) as {
        status: string;
        error?: string;
        data?: { result: Sample[] };
      };
      if (answer.status !== "success") throw new Error(`${expression}: ${answer.error}`);
      return answer.data?.result ?? [];
    },
    async [Symbol.asyncDispose]() {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What promtool says of a file of rules. Rejects when it finds a mistake. */
export async function checkRules(rules: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "omnia-rules-"));
  try {
    const file = join(folder, "rules.yaml");
    await writeFile(file, rules);
    const promtool = join(await prometheusPrograms(), "promtool");
    return (await run(promtool, ["check", "rules", file])).stdout;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function prometheusPrograms(): Promise<string> {
  return await installed([INSTALL], PROMETHEUS_TIMEOUT_MS);
}

async function freePort(host: string): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
