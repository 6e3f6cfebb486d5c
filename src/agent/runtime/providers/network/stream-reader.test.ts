import { Readable } from "node:stream";
import { describe, expect, it, vi } from "vitest";
import { rejectionOf } from "../../../../../test/support/builders/rejection-of.ts";
import { MAX_UNREAD_ANSWER_BYTES } from "../../../contracts/limits.ts";
import { StreamReader } from "./stream-reader.ts";

function setUp() {
  const stream = new Readable({ read() {} });
  const told: unknown[] = [];
  const reader = new StreamReader(stream, {
    onRead: (bytes) => told.push(bytes) > 0,
    onEnd: () => void told.push("end"),
  });
  const next = async () => {
    const { value } = await reader.read();
    return value === undefined ? undefined : Buffer.from(value).toString();
  };
  return { stream, reader, next, told };
}

describe("the reader of an answer", () => {
  it("gives each piece as it comes, and then says that this was all", async () => {
    const { stream, next } = setUp();
    for (const piece of ["a", "b"]) {
      const read = next();
      stream.push(piece);
      expect(await read).toBe(piece);
    }
    const last = next();
    stream.push(null);
    expect(await last).toBeUndefined();
    expect(await next()).toBeUndefined();
  });

  it("gives as one what came before it was asked for", async () => {
    const { stream, next } = setUp();
    for (const piece of ["a", "b", "c"]) stream.push(piece);
    stream.push(null);
    await vi.waitUntil(() => stream.readableEnded);
    expect([await next(), await next()]).toEqual(["abc", undefined]);
  });

  it("takes no more from the connection while much waits to be read", async () => {
    const { stream, next } = setUp();
    stream.push(Buffer.alloc(MAX_UNREAD_ANSWER_BYTES));
    await vi.waitUntil(() => stream.isPaused());
    stream.push("more");
    expect((await next())?.length).toBe(MAX_UNREAD_ANSWER_BYTES);
    expect(stream.isPaused()).toBe(false);
    expect(await next()).toBe("more");
  });

  it("gives what came before a failure, and then the failure", async () => {
    const { stream, next } = setUp();
    stream.push("a");
    await vi.waitUntil(() => stream.readableLength === 0);
    const cause = new Error("reset");
    stream.destroy(cause);
    await vi.waitUntil(() => stream.closed);
    expect(await next()).toBe("a");
    for (let read = 0; read < 2; read += 1) {
      expect(await rejectionOf(next())).toMatchObject({ message: "terminated", cause });
    }
  });

  it("fails where the stream closes without an end", async () => {
    const { stream, next } = setUp();
    const read = rejectionOf(next());
    stream.destroy();
    expect(await read).toMatchObject({ message: "terminated" });
  });

  it("gives nothing more after an abort but its reason", async () => {
    const { stream, reader, next } = setUp();
    stream.push("a");
    await vi.waitUntil(() => stream.readableLength === 0);
    const reason = new Error("enough");
    reader.abort(reason);
    expect(await rejectionOf(next())).toBe(reason);
    expect(stream.destroyed).toBe(true);
  });

  it("ends a read that waits, and the stream, when nobody wants more", async () => {
    const { stream, reader, next } = setUp();
    const read = next();
    await reader.cancel();
    expect([await read, await next()]).toEqual([undefined, undefined]);
    expect(stream.destroyed).toBe(true);
  });

  it("tells of what is read before it is, and once of the end", async () => {
    const { stream, reader, next, told } = setUp();
    stream.push("abc");
    stream.push("de");
    await vi.waitUntil(() => stream.readableLength === 0);
    expect(told).toEqual([]);
    await next();
    const read = next();
    stream.push("f");
    await read;
    expect(told).toEqual([5, 1]);
    stream.push(null);
    await next();
    await reader.cancel();
    expect(told).toEqual([5, 1, "end"]);
  });

  it("does not take an aborted answer for a whole one, though all of it had come", async () => {
    const { stream, reader, next } = setUp();
    stream.push("a");
    stream.push(null);
    await vi.waitUntil(() => stream.readableEnded);
    const reason = new Error("enough");
    reader.abort(reason);
    expect(await rejectionOf(next())).toBe(reason);
  });
});
