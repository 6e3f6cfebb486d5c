/**
 * What tests share, as constants: each is set up before the tests that use it and cleaned up after them, the last one first.
 * A test gets the value by a call.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";

type SetUp<Value> = () => Value | Promise<Value>;
type CleanUp<Value> = (value: Value) => unknown;

export interface Fixture<Value> {
  (): Value;
  /** For a test that has ended the first value by itself: from now on this one is there, and is cleaned up. */
  replaceBy(value: Value): void;
}

/** One value for all tests of the file, or of the `describe` that it stands in: for what is costly to start. */
export function forAllTests<Value>(
  setUp: SetUp<Value>,
  cleanUp: CleanUp<Value> = () => {},
  timeoutMs?: number,
): Fixture<Value> {
  const held = new Held(setUp, cleanUp);
  beforeAll(() => held.set(), timeoutMs);
  afterAll(() => held.clear());
  return held.fixture;
}

/** A value of its own for each test. */
export function forEachTest<Value>(
  setUp: SetUp<Value>,
  cleanUp: CleanUp<Value> = () => {},
): Fixture<Value> {
  const held = new Held(setUp, cleanUp);
  beforeEach(() => held.set());
  afterEach(() => held.clear());
  return held.fixture;
}

/** An empty folder, which is removed with all that is in it. */
export function folderForAllTests(): Fixture<string> {
  return forAllTests(makeFolder, removeFolder);
}

export function folderForEachTest(): Fixture<string> {
  return forEachTest(makeFolder, removeFolder);
}

function makeFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "omnia-test-"));
}

function removeFolder(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

class Held<Value> {
  readonly #setUp: SetUp<Value>;
  readonly #cleanUp: CleanUp<Value>;
  #held: { value: Value } | undefined;

  constructor(setUp: SetUp<Value>, cleanUp: CleanUp<Value>) {
    this.#setUp = setUp;
    this.#cleanUp = cleanUp;
  }

  get value(): Value {
    if (this.#held === undefined) throw new Error("this is set up only while tests run");
    return this.#held.value;
  }

  get fixture(): Fixture<Value> {
    return Object.assign(() => this.value, {
      replaceBy: (value: Value) => {
        this.#held = { value };
      },
    });
  }

  async set(): Promise<void> {
    this.#held = { value: await this.#setUp() };
  }

  /** Nothing is left to clean up where setting up has failed. */
  async clear(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) await this.#cleanUp(held.value);
  }
}
