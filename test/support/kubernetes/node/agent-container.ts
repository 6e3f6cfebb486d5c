/** Runs `omnia agent` as the container of a simulated pod: with the pod's files and environment, on free ports. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Container, StartContainer } from "./simulated-pod.ts";

const PROGRAM = join(import.meta.dirname, "../../../../bin/omnia.ts");
const PROBE_MS = 50;

export const startAgentContainer: StartContainer = ({ root, environment, onChange }) => {
  const config = join(root, environment["OMNIA_CONFIG"] ?? "");
  const listen = ["--host", "127.0.0.1", "--port", "0", "--management-port", "0"];
  const child = spawn(process.execPath, [PROGRAM, "agent", "--config", config, ...listen], {
    env: { PATH: process.env["PATH"] ?? "", OMNIA_DEMO_PAUSES: "off", ...environment },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const ended = once(child, "exit");
  const stopped = new AbortController();
  let isReady = false;
  let facadePort: number | undefined;
  let managementPort = 0;
  child.on("message", (ports: { facadePort: number; managementPort: number }) => {
    ({ facadePort, managementPort } = ports);
  });
  const probe = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      const answered =
        managementPort !== 0 &&
        (await fetch(`http://127.0.0.1:${managementPort}/readyz`).then(
          ({ status }) => status === 200,
          () => false,
        ));
      if (answered !== isReady) {
        isReady = answered;
        onChange();
      }
      await delay(PROBE_MS, undefined, { signal: stopped.signal }).catch(() => {});
    }
  };
  void probe();
  const container: Container = {
    get isReady() {
      return isReady;
    },
    get facadePort() {
      return facadePort;
    },
    async stop() {
      stopped.abort();
      child.kill("SIGTERM");
      await ended;
    },
  };
  return container;
};
