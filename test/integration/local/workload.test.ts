/** The supervision of processes, with a stand-in for the agent that fails in every way it is told to. */
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AgentWorkload, type WantedWorkload } from "../../../src/local/replicas/workload.ts";
import { isAlive } from "../../../src/local/state/lock-state-folder.ts";
import { systemClock, type Timer } from "../../../src/time/clock.ts";
import { folderForEachTest, forEachTest } from "../../support/builders/fixtures.ts";

/** Reads its orders from the environment (BEHAVIOUR) and from its config ({"ready": …}). */
const STAND_IN = `
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
const config = () => JSON.parse(readFileSync(process.argv[process.argv.indexOf("--config") + 1], "utf8"));
const behaviour = process.env.BEHAVIOUR;
if (behaviour === "throw") throw new RangeError("no such model, key sk-abcdefghijklmnop");
if (behaviour === "tells") {
  console.log("with " + process.env.TOKEN);
  console.error(JSON.stringify({ level: "error", msg: "refused: " + JSON.stringify({ token: process.env.TOKEN }) }));
}
if (behaviour === "log") {
  console.log(JSON.stringify({ level: "error", msg: "the config cannot be read" }));
  process.exit(3);
}
console.log(JSON.stringify({ level: "info", msg: "starting", environment: Object.keys(process.env).sort() }));
const server = createServer((request, response) => {
  if (behaviour === "silent") return;
  const ready = ending ? "shutting down" : config().ready;
  response.writeHead(ready === true ? 200 : 503).end(ready === true ? "ok" : JSON.stringify({ reasons: [ready] }));
});
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address();
  process.send({ type: "listening", facadePort: port, managementPort: port });
});
let ending = false;
process.on("SIGTERM", () => {
  ending = true;
  if (behaviour === "lingers") setTimeout(() => process.exit(0), 2_500);
  else if (behaviour !== "stubborn") process.exit(0);
});
process.on("disconnect", () => process.exit(0));
`;

const folder = folderForEachTest();
/** What workloads tell. */
const told = forEachTest(() => ({ changes: 0, errors: [] as string[], ends: [] as string[] }));
/** Timers that are set and neither fired nor cancelled: each keeps the program from ending. */
const timers = forEachTest(() => new Set<object>());
const workloads: AgentWorkload[] = [];

beforeEach(() => writeFile(join(folder(), "stand-in.mjs"), STAND_IN));
afterEach(async () => {
  for (const workload of workloads.splice(0)) {
    workload.kill();
    await expect.poll(() => workload.replicas()).toEqual([]);
  }
});

function setTimer(ms: number, callback: () => void): Timer {
  const running = timers();
  const timer = systemClock.setTimer(ms, () => {
    running.delete(timer);
    callback();
  });
  running.add(timer);
  return {
    cancel: () => {
      running.delete(timer);
      timer.cancel();
    },
  };
}

function start(graceMs = 5_000): AgentWorkload {
  const heard = told();
  const workload = new AgentWorkload({
    folder: join(folder(), "state"),
    command: { execPath: process.execPath, arguments: [join(folder(), "stand-in.mjs")] },
    clock: { ...systemClock, setTimer },
    random: () => 0,
    graceMs,
    onChange: () => (heard.changes += 1),
    onError: (replica, message) => heard.errors.push(`${replica}: ${message}`),
    onEnd: (replica, message, restartInMs) =>
      heard.ends.push(`${replica}: ${message} ${restartInMs}`),
  });
  workloads.push(workload);
  return workload;
}

function wanted({
  behaviour = "",
  ready = true,
  ...rest
}: Partial<WantedWorkload> & {
  behaviour?: string;
  ready?: boolean | string;
} = {}): WantedWorkload {
  return {
    replicas: 1,
    revision: "1",
    environment: { BEHAVIOUR: behaviour },
    config: JSON.stringify({ ready }),
    secrets: new Map(),
    secretVariables: [],
    ...rest,
  };
}

const states = (workload: AgentWorkload): string =>
  workload
    .replicas()
    .map(({ id, revision, state }) => `${id}/${revision} ${state}`)
    .join(", ");

async function until(workload: AgentWorkload, expected: string): Promise<void> {
  await expect.poll(() => states(workload), { interval: 20 }).toBe(expected);
}

describe("replicas", () => {
  it("are started, become ready, and take connections where they listen", async () => {
    const workload = start();
    await workload.apply(wanted({ replicas: 2 }));
    expect(workload.endpoints()).toEqual([]);
    await until(workload, "1/1 ready, 2/1 ready");
    const [first, second] = workload.endpoints();
    expect(first?.id).not.toBe(second?.id);
    const response = await fetch(`http://${first?.host}:${first?.port}`);
    expect(await response.text()).toBe("ok");
  });

  it("are left alone when nothing that they were started with has changed", async () => {
    const workload = start();
    await workload.apply(wanted());
    await until(workload, "1/1 ready");
    const before = [workload.replicas(), told().changes];
    await workload.apply(wanted());
    expect([workload.replicas(), told().changes]).toEqual(before);
  });

  it("get only the environment that they are given", async () => {
    const workload = start();
    process.env["OTHER_PROVIDER_KEY"] = "leaked";
    try {
      await workload.apply(wanted());
      await until(workload, "1/1 ready");
    } finally {
      delete process.env["OTHER_PROVIDER_KEY"];
    }
    const log = await readFile(join(folder(), "state", "replica-1.log"), "utf8");
    const [starting = ""] = log.split("\n");
    expect(JSON.parse(starting)).toMatchObject({
      environment: ["BEHAVIOUR", "OMNIA_REPLICA_NAME"],
    });
  });

  it("keep their secrets to themselves, whatever they print and say of themselves", async () => {
    const workload = start();
    const [file, variable] = ['of "a" file', 'of "a" variable'];
    await workload.apply(
      wanted({
        environment: { BEHAVIOUR: "tells", TOKEN: variable },
        secrets: new Map([["provider/key", file]]),
        secretVariables: [variable],
        ready: `the key ${file} was refused`,
      }),
    );
    await expect.poll(() => workload.replicas()[0]?.message).toBe("the key [redacted] was refused");
    await expect.poll(() => told().errors).toEqual(['1: refused: {"token":"[redacted]"}']);
    const log = await readFile(join(folder(), "state", "replica-1.log"), "utf8");
    expect(log).toContain("with [redacted]\n");
    expect(log).not.toMatch(/of.*a.*variable/);
  });

  it("roll one at a time, and there is always one that is ready", async () => {
    const workload = start();
    await workload.apply(wanted({ replicas: 2 }));
    await until(workload, "1/1 ready, 2/1 ready");
    let fewest = 2;
    const watching = setInterval(() => (fewest = Math.min(fewest, workload.endpoints().length)), 1);
    await workload.apply(wanted({ replicas: 2, revision: "2" }));
    await expect
      .poll(() => workload.replicas().map(({ revision, state }) => `${revision} ${state}`))
      .toEqual(["2 ready", "2 ready"]);
    clearInterval(watching);
    expect(fewest).toBe(2);
  });

  it("of before go on when those of a change do not come up", async () => {
    const workload = start();
    await workload.apply(wanted());
    await until(workload, "1/1 ready");
    await workload.apply(wanted({ revision: "2", environment: { BEHAVIOUR: "throw" } }));
    await expect.poll(() => workload.replicas()[1]?.failures).toBeGreaterThanOrEqual(2);
    expect(workload.endpoints()).toHaveLength(1);
    await workload.apply(wanted({ revision: "1" }));
    await until(workload, "1/1 ready");
  });

  it("come and go with the number that is wanted", async () => {
    const workload = start();
    await workload.apply(wanted({ replicas: 3 }));
    await until(workload, "1/1 ready, 2/1 ready, 3/1 ready");
    await workload.apply(wanted({ replicas: 1 }));
    await until(workload, "1/1 ready");
    await workload.apply(wanted({ replicas: 0 }));
    await until(workload, "");
  });
});

describe("a replica that", () => {
  it("is killed is started again, and is another endpoint then", async () => {
    const workload = start();
    await workload.apply(wanted());
    await until(workload, "1/1 ready");
    const [before] = workload.endpoints();
    process.kill(workload.replicas()[0]?.pid as number, "SIGKILL");
    await until(workload, "1/1 waiting");
    expect(told().ends).toEqual(["1: it was ended by SIGKILL 250"]);
    expect(workload.replicas()[0]).toMatchObject({
      failures: 1,
      lastEnd: "it was ended by SIGKILL",
    });
    await until(workload, "1/1 ready");
    expect(workload.endpoints()[0]?.id).not.toBe(before?.id);
  });

  it("throws at its start says so, without its key, and waits longer each time", async () => {
    const workload = start();
    await workload.apply(wanted({ behaviour: "throw" }));
    await expect.poll(() => workload.replicas()[0]?.failures).toBe(2);
    expect(workload.replicas()[0]).toMatchObject({
      state: "waiting",
      lastEnd: "it ended with code 1: RangeError: no such model, key [redacted]",
    });
  });

  it("logs why it ends says so, and is heard", async () => {
    const workload = start();
    await workload.apply(wanted({ behaviour: "log" }));
    await expect
      .poll(() => workload.replicas()[0]?.lastEnd)
      .toBe("it ended with code 3: the config cannot be read");
    expect(told().errors[0]).toBe("1: the config cannot be read");
  });

  it("cannot be started at all says so", async () => {
    const workload = new AgentWorkload({
      folder: join(folder(), "state"),
      command: { execPath: join(folder(), "no-such-node"), arguments: [] },
      clock: systemClock,
      random: () => 0,
      graceMs: 1_000,
      onChange: () => {},
      onError: () => {},
      onEnd: () => {},
    });
    workloads.push(workload);
    await workload.apply(wanted());
    await expect
      .poll(() => workload.replicas()[0]?.lastEnd)
      .toMatch(/^it could not be started: .*ENOENT/);
  });

  it("says that it is not ready gets no connections, and is ready again when it says so", async () => {
    const workload = start();
    await workload.apply(wanted({ ready: "the store does not answer" }));
    await expect.poll(() => workload.replicas()[0]?.message).toBe("the store does not answer");
    expect(states(workload)).toBe("1/1 starting");
    await workload.apply(wanted());
    await until(workload, "1/1 ready");
    await workload.apply(wanted({ ready: "the store does not answer" }));
    await until(workload, "1/1 unready");
    expect(workload.endpoints()).toEqual([]);
  });

  it("does not end when it is told to is ended after its grace", async () => {
    const workload = start(100);
    await workload.apply(wanted({ behaviour: "stubborn" }));
    await until(workload, "1/1 ready");
    const pid = workload.replicas()[0]?.pid as number;
    workload.retire();
    await until(workload, "1/1 draining");
    await until(workload, "");
    expect(isAlive(pid)).toBe(false);
  });
});

describe("the files of an agent", () => {
  const secret = (value: string): WantedWorkload["secrets"] =>
    new Map([["provider/api-key", value]]);

  it("follow what is wanted without a new process, and are for their owner only", async () => {
    const workload = start();
    await workload.apply(wanted({ secrets: secret("one") }));
    await until(workload, "1/1 ready");
    const pid = workload.replicas()[0]?.pid;
    const file = join(folder(), "state", "secrets", "provider", "api-key");
    expect(await readFile(file, "utf8")).toBe("one");
    expect([
      (await stat(file)).mode & 0o777,
      (await stat(join(folder(), "state"))).mode & 0o777,
    ]).toEqual([0o600, 0o700]);
    await workload.apply(wanted({ secrets: secret("two"), config: `{"ready":true,"new":1}` }));
    expect(await readFile(file, "utf8")).toBe("two");
    expect(await readFile(workload.configFile, "utf8")).toBe(`{"ready":true,"new":1}`);
    expect(workload.replicas()[0]?.pid).toBe(pid);
  });

  it("keep what a Secret held that has gone, and lose what is no longer named", async () => {
    const workload = start();
    const file = join(folder(), "state", "secrets", "provider", "api-key");
    await workload.apply(wanted({ secrets: secret("one") }));
    await workload.apply(wanted({ secrets: new Map([["provider/api-key", undefined]]) }));
    expect(await readFile(file, "utf8")).toBe("one");
    await workload.apply(wanted());
    await expect(readFile(file)).rejects.toThrow("ENOENT");
  });

  it("hold no secret any more once they are cleaned", async () => {
    const workload = start();
    await workload.apply(wanted({ secrets: secret("one") }));
    workload.retire();
    await until(workload, "");
    await workload.clean();
    expect(
      (await readdir(join(folder(), "state"))).filter((name) => !name.endsWith(".log")),
    ).toEqual([]);
  });

  it("do not hold secrets that a process left behind which was killed", async () => {
    const left = join(folder(), "state", "secrets", "tools");
    await mkdir(left, { recursive: true });
    await writeFile(join(left, "token"), "old");
    await start().apply(wanted({ secrets: new Map([["tools/token", undefined]]) }));
    await expect(readFile(join(left, "token"))).rejects.toThrow("ENOENT");
  });
});

describe("a workload", () => {
  it("that was retired and is wanted again gets new replicas while the old ones drain", async () => {
    const workload = start();
    await workload.apply(wanted({ behaviour: "stubborn" }));
    await until(workload, "1/1 ready");
    workload.retire();
    await workload.apply(wanted({ behaviour: "stubborn" }));
    await until(workload, "1/1 draining, 2/1 ready");
  });

  it.each(["lingers", "throw", ""])(
    "leaves no timer behind when its replica has drained (%s)",
    async (behaviour) => {
      const workload = start();
      await workload.apply(wanted({ behaviour }));
      await until(workload, behaviour === "throw" ? "1/1 waiting" : "1/1 ready");
      workload.retire();
      await until(workload, "");
      expect(timers().size).toBe(0);
    },
  );
});
