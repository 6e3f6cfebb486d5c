import { once } from "node:events";
import { createServer, type AddressInfo, type Server } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { ManualClock } from "../../test/support/builders/manual-clock.ts";
import { addressPolicy, MACHINE_ADDRESSES } from "../network/address-verdict.ts";
import { systemClock } from "../time/clock.ts";
import { probe } from "./probe.ts";
import { ToolProbes } from "./tool-probes.ts";
import { forEachTest } from "../../test/support/builders/fixtures.ts";

const servers: Server[] = [];
const ending = forEachTest(
  () => new AbortController(),
  (ending) => ending.abort(),
);
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listen(
  port = 0,
  onConnection: (bytes: Promise<number>) => void = () => {},
): Promise<{ port: number; server: Server }> {
  const server = createServer((socket) => {
    socket.resume();
    onConnection(once(socket, "close").then(() => socket.bytesRead));
  });
  servers.push(server);
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, server };
}

describe("probe", () => {
  const signal = new AbortController().signal;
  const policy = addressPolicy(MACHINE_ADDRESSES);

  it("connects, sends nothing, and leaves", async () => {
    let bytes: Promise<number> | undefined;
    const { port } = await listen(0, (read) => {
      bytes = read;
    });
    for (const url of [
      `http://127.0.0.1:${port}/tool`,
      `127.0.0.1:${port}`,
      `grpc://127.0.0.1:${port}`,
    ]) {
      expect(await probe(url, policy, signal)).toEqual({ reachable: true });
    }
    expect(await bytes).toBe(0);
  });

  it("says why it could not connect, without the path", async () => {
    const { port, server } = await listen();
    server.close();
    await once(server, "close");
    expect(await probe(`http://127.0.0.1:${port}/secret-path`, policy, signal)).toEqual({
      reachable: false,
      message: `127.0.0.1:${port} refuses connections: nothing listens there`,
    });
    expect(await probe("http://no-such-host.invalid", policy, signal)).toEqual({
      reachable: false,
      message: "no-such-host.invalid:80 cannot be found: its name has no address here",
    });
  });
});

describe("the probe of an address that is not allowed", () => {
  const signal = new AbortController().signal;
  const refused = {
    reachable: false,
    refused: true,
    message: "its address is not allowed for tools",
  };

  it.each(["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"])(
    "connects to nothing and tells nothing, with %s",
    async (host) => {
      let connections = 0;
      const { port } = await listen(0, () => (connections += 1));
      for (const scheme of ["http://", "grpc://", ""]) {
        const url = `${scheme}${host}:${port}`;
        expect(await probe(url, addressPolicy([]), signal)).toEqual(refused);
      }
      expect(connections).toBe(0);
    },
  );

  it.each(["http://169.254.169.254/", "http://metadata.google.internal/", "http://[fe80::1]/"])(
    "is refused also where private addresses and this machine are allowed: %s",
    async (url) => {
      expect(await probe(url, addressPolicy(MACHINE_ADDRESSES), signal)).toEqual(refused);
    },
  );

  it("says the same of a port where something listens and of one where nothing does", async () => {
    const { port, server } = await listen();
    const open = await probe(`http://127.0.0.1:${port}/`, addressPolicy([]), signal);
    server.close();
    await once(server, "close");
    expect(await probe(`http://127.0.0.1:${port}/`, addressPolicy([]), signal)).toEqual(open);
  });
});

describe("ToolProbes", () => {
  it("probe a URL that is new before they answer, and then only as time goes by", async () => {
    let connections = 0;
    const { port } = await listen(0, () => (connections += 1));
    const probes = new ToolProbes({
      allowedAddresses: MACHINE_ADDRESSES,
      clock: systemClock,
      onChange: () => {},
    });
    const urls = new Set([`http://127.0.0.1:${port}`]);
    for (let index = 0; index < 3; index += 1) {
      expect(await probes.results("tools", urls, ending().signal)).toEqual(
        new Map([[`http://127.0.0.1:${port}`, { reachable: true }]]),
      );
    }
    await expect.poll(() => connections).toBe(1);
  });

  it("are looked at again after a while, and say when a tool has gone or come back", async () => {
    const { port, server } = await listen();
    const clock = new ManualClock();
    let changes = 0;
    const probes = new ToolProbes({
      allowedAddresses: MACHINE_ADDRESSES,
      clock,
      onChange: () => (changes += 1),
    });
    const running = probes.run(ending().signal);
    const url = `http://127.0.0.1:${port}`;
    const reachable = async (): Promise<boolean | undefined> =>
      (await probes.results("tools", new Set([url]), ending().signal)).get(url)?.reachable;
    expect(await reachable()).toBe(true);
    server.close();
    await expect.poll(() => clock.pendingTimers).toBe(1);
    await clock.advance(10_000);
    await expect.poll(() => changes).toBe(1);
    expect(await reachable()).toBe(false);
    await listen(port);
    await expect.poll(() => clock.pendingTimers).toBe(1);
    await clock.advance(10_000);
    await expect.poll(() => changes).toBe(2);
    expect(await reachable()).toBe(true);
    ending().abort();
    await running;
  });

  it("probe a URL once that several ask for, and tell all of them when it changes", async () => {
    let connections = 0;
    const { port, server } = await listen(0, () => (connections += 1));
    const url = `http://127.0.0.1:${port}`;
    const clock = new ManualClock();
    const told: string[][] = [];
    const probes = new ToolProbes({
      allowedAddresses: MACHINE_ADDRESSES,
      clock,
      onChange: (owners) => told.push([...owners].sort()),
    });
    const running = probes.run(ending().signal);
    const ask = (owner: string) => probes.results(owner, new Set([url]), ending().signal);
    await Promise.all([ask("a"), ask("b"), ask("c")]);
    await expect.poll(() => connections).toBe(1);
    probes.forget("b");
    server.close();
    await expect.poll(() => clock.pendingTimers).toBe(1);
    await clock.advance(10_000);
    await expect.poll(() => told).toEqual([["a", "c"]]);
    ending().abort();
    await running;
  });

  it("leave alone what nobody asks for any more", async () => {
    let connections = 0;
    const { port } = await listen(0, () => (connections += 1));
    const { port: other } = await listen();
    const clock = new ManualClock();
    const probes = new ToolProbes({
      allowedAddresses: MACHINE_ADDRESSES,
      clock,
      onChange: () => {},
    });
    const running = probes.run(ending().signal);
    await probes.results("a", new Set([`http://127.0.0.1:${port}`]), ending().signal);
    await expect.poll(() => connections).toBe(1);
    await probes.results("a", new Set([`http://127.0.0.1:${other}`]), ending().signal);
    for (let round = 0; round < 3; round += 1) {
      await expect.poll(() => clock.pendingTimers).toBe(1);
      await clock.advance(10_000);
    }
    expect(connections).toBe(1);
    probes.forget("a");
    await clock.advance(20_000);
    await expect.poll(() => clock.pendingTimers).toBe(0);
    ending().abort();
    await running;
  });

  it("reach every URL though only some are probed at once", async () => {
    const listening = await Promise.all(Array.from({ length: 100 }, () => listen()));
    const urls = new Set(listening.map(({ port }) => `http://127.0.0.1:${port}`));
    const probes = new ToolProbes({
      allowedAddresses: MACHINE_ADDRESSES,
      clock: systemClock,
      onChange: () => {},
    });
    const results = await probes.results("a", urls, ending().signal);
    expect([...results.values()]).toEqual(Array.from({ length: 100 }, () => ({ reachable: true })));
  });
});
