/** What can happen to a stream of events on its way: it is split anywhere, and events are dropped, doubled, bent and cut. */
import fc from "fast-check";
import type { PlannedEvent } from "./planned-answer.ts";

type Blow =
  | { type: "drop"; event: number }
  | { type: "double"; event: number }
  | { type: "bend"; event: number; field: number; into: unknown };

export interface Damage {
  blows: Blow[];
  /** Which share of the bytes is sent. */
  cut: number | undefined;
  /** Whether the connection breaks at the end. */
  breaks: boolean;
  /** The sizes of the pieces, again and again. */
  pieces: number[];
  lineEnd: "\n" | "\r\n";
}

/** `REMOVED` in place of a value takes its field away. */
const REMOVED = "(removed)";

const anEvent = fc.nat(1_000);
const aBlow: fc.Arbitrary<Blow> = fc.oneof(
  fc.record({ type: fc.constant("drop" as const), event: anEvent }),
  fc.record({ type: fc.constant("double" as const), event: anEvent }),
  fc.record({
    type: fc.constant("bend" as const),
    event: anEvent,
    field: fc.nat(1_000),
    into: fc.constantFrom<unknown>(REMOVED, null, 0, -1, 7, "", "x", [], [{}], {}, true, false),
  }),
);

export const someDamage: fc.Arbitrary<Damage> = fc.record({
  blows: fc.oneof(
    { weight: 1, arbitrary: fc.constant<Blow[]>([]) },
    { weight: 3, arbitrary: fc.array(aBlow, { minLength: 1, maxLength: 3 }) },
  ),
  cut: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { freq: 3, nil: undefined }),
  breaks: fc.boolean(),
  pieces: fc.array(fc.oneof(fc.integer({ min: 1, max: 400 }), fc.constant(100_000)), {
    minLength: 1,
    maxLength: 5,
  }),
  lineEnd: fc.constantFrom("\n" as const, "\r\n" as const),
});

export interface DamagedStream {
  bytes: Buffer;
  /** Whether all that was planned arrives, however it is split. */
  isWhole: boolean;
  /** Whether nothing was changed, and only the end may be missing. */
  isBeginning: boolean;
  /** Whether events or fields in the middle are gone. Not every protocol lets that be seen. */
  lacksPieces: boolean;
  /** Whether an event may have come twice, the second time with another content: it cannot be told then. */
  hidesTwice: boolean;
  /** Whether what arrives says how the answer ended, as it was planned. */
  saysEnd: boolean;
}

export function damagedStream(planned: readonly PlannedEvent[], damage: Damage): DamagedStream {
  let events = [...planned];
  for (const blow of damage.blows) {
    const at = blow.event % Math.max(events.length, 1);
    const event = events[at];
    if (event === undefined) break;
    if (blow.type === "drop") events = events.toSpliced(at, 1);
    else if (blow.type === "double") events = events.toSpliced(at, 0, event);
    else events = events.with(at, bent(event, blow));
  }
  const parts = events.map((event) => ({ event, ...written(event, damage.lineEnd) }));
  const all = Buffer.concat(parts.map(({ bytes }) => bytes));
  const length = Math.floor(all.length * (damage.cut ?? 1));
  let saysEnd = false;
  let offset = 0;
  for (const { event, bytes, dataEnd } of parts) {
    saysEnd ||= tellsEnd(event, planned) && offset + dataEnd <= length;
    offset += bytes.length;
  }
  const has = (wanted: Blow["type"]): boolean => damage.blows.some(({ type }) => type === wanted);
  const isUntouched = damage.blows.length === 0;
  return {
    bytes: all.subarray(0, length),
    isWhole: isUntouched && length === all.length && !damage.breaks,
    isBeginning: isUntouched,
    lacksPieces: has("drop") || has("bend"),
    hidesTwice: has("double") && has("bend"),
    saysEnd,
  };
}

/** An event, and where its data end in it. */
function written(
  { name, data }: PlannedEvent,
  lineEnd: string,
): { bytes: Buffer; dataEnd: number } {
  const head = name === undefined ? "" : `event: ${name}${lineEnd}`;
  const line = `data: ${typeof data === "string" ? data : JSON.stringify(data)}`;
  const dataEnd = Buffer.byteLength(head + line);
  return { bytes: Buffer.from(head + line + lineEnd + lineEnd), dataEnd };
}

function tellsEnd({ data, finish }: PlannedEvent, planned: readonly PlannedEvent[]): boolean {
  if (finish === undefined) return false;
  const original = planned.find((event) => event.finish !== undefined);
  return at(data, finish) === at(original?.data, finish) || finish.length === 0;
}

function at(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (inner as Record<string, unknown> | null | undefined)?.[key],
    value,
  );
}

function bent(event: PlannedEvent, blow: { field: number; into: unknown }): PlannedEvent {
  if (typeof event.data !== "object" || event.data === null) return event;
  const data = structuredClone(event.data);
  const fields = fieldsIn(data);
  const field = fields[blow.field % fields.length];
  if (field === undefined) return event;
  const [holder, key] = field;
  if (blow.into !== REMOVED) holder[key] = blow.into;
  else if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else delete holder[key];
  return { ...event, data };
}

type Field = [holder: Record<string, unknown>, key: string];

/** All fields of a value, however deep, each by what holds it and its name. */
function fieldsIn(value: unknown): Field[] {
  if (typeof value !== "object" || value === null) return [];
  const holder = value as Record<string, unknown>;
  return Object.keys(holder).flatMap((key): Field[] => [[holder, key], ...fieldsIn(holder[key])]);
}
