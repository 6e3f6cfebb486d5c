/** The CPU time that a validator adds to a chunk of an answer. */
import { AnswerGate } from "../src/agent/runtime/validation/answer-gate.ts";
import { readValidator } from "../src/promptpack/validators/read-validator.ts";
import { createValidator } from "../src/promptpack/validators/validator.ts";
import type { Measurement } from "./bench.ts";
import { median } from "./median.ts";

const CHUNKS = 20_000;
const ROUNDS = 7;
const TARGET_US = 2;
const TEXT =
  "The order of the 3rd of March leaves our house tomorrow, at the latest on Friday; until then you can change it. ";
const CHUNK_CHARACTERS = 5;

const VALIDATORS = {
  banned_words: { words: Array.from({ length: 200 }, (_, index) => `unwanted${index}`) },
  pii_detection: {},
};

export function measureValidators(): Promise<Measurement[]> {
  const chunks = chunksOf(TEXT.repeat(1 + Math.ceil((CHUNKS * CHUNK_CHARACTERS) / TEXT.length)));
  const bare = median(rounds(() => passing(chunks, [])));
  const measurements = Object.entries(VALIDATORS).map(([type, params]): Measurement => {
    const read = readValidator({ type, params, fail_on_violation: true });
    if (!read.ok) throw new Error(read.problem);
    const validator = createValidator(read.config);
    const checked = median(rounds(() => passing(chunks, [validator])));
    const added = checked - bare;
    return {
      what: `CPU of ${type} for a chunk of ${CHUNK_CHARACTERS} characters`,
      measured: `${checked.toFixed(2)} µs`,
      floor: `${bare.toFixed(2)} µs (without a validator)`,
      result: `${added.toFixed(2)} µs`,
      target: `≤ ${TARGET_US} µs`,
      withinTarget: added <= TARGET_US,
    };
  });
  return Promise.resolve(measurements);
}

function rounds(measure: () => number): number[] {
  measure();
  return Array.from({ length: ROUNDS }, measure);
}

/** Microseconds a chunk. */
function passing(
  chunks: readonly string[],
  validators: ReturnType<typeof createValidator>[],
): number {
  const gate = new AnswerGate({ validators, holdsAll: false });
  const before = process.cpuUsage();
  for (const chunk of chunks) {
    if (gate.add(chunk).refusedBy !== undefined) throw new Error("an honest text was refused");
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / chunks.length;
}

function chunksOf(text: string): string[] {
  return Array.from({ length: CHUNKS }, (_, index) =>
    text.slice(index * CHUNK_CHARACTERS, (index + 1) * CHUNK_CHARACTERS),
  );
}
