/**
 * An operation on Redis is one Lua script, together with what gives it its arguments and what reads its answer. The names of
 * the keys and arguments are written down once: the script has them as local variables, and `encode` gives a value to each.
 */
import { createHash } from "node:crypto";

export interface RedisOperation<Input, Output> {
  /** The whole text of the script, by which a server learns it. */
  readonly text: string;
  /** The name under which a server that knows the script runs it. */
  readonly sha1: string;
  /** ARGV of the script. */
  encode(input: Input): string[];
  /** Throws CorruptSessionError when the script cannot have given such an answer. */
  read(reply: unknown, input: Input): Output;
}

interface ValueOfKind {
  /** A number in the script too. */
  number: number;
  text: string;
  /**
   * Arguments that are many. A list `frames` is `framesCount` elements, the first of which is ARGV[framesAt]: the script has
   * no table of them, because it would have to be filled.
   */
  list: readonly string[];
}

export type ArgumentKinds = Readonly<Record<string, keyof ValueOfKind>>;

type ArgumentValues<Kinds extends ArgumentKinds> = {
  readonly [Name in keyof Kinds]: ValueOfKind[Kinds[Name]];
};

export interface OperationDefinition<Kinds extends ArgumentKinds, Input, Output> {
  /** What the script calls its keys, in the order of KEYS. */
  readonly keys: readonly string[];
  /** What the script calls its arguments. */
  readonly arguments: Kinds;
  readonly lua: string;
  readonly encode: (input: Input) => ArgumentValues<Kinds>;
  readonly read: (reply: unknown, input: Input) => Output;
}

export function defineOperation<const Kinds extends ArgumentKinds, Input, Output>(
  definition: OperationDefinition<Kinds, Input, Output>,
): RedisOperation<Input, Output> {
  const { keys, lua, encode, read } = definition;
  const kinds = Object.entries(definition.arguments);
  const lists = kinds.filter(([, kind]) => kind === "list").map(([name]) => name);
  const single = kinds.filter(([, kind]) => kind !== "list");
  const text = [
    ...keys.map((name, index) => `local ${name} = KEYS[${index + 1}]`),
    ...single.map(([name, kind], index) => `local ${name} = ${argumentAt(index + 1, kind)}`),
    ...localsOfLists(lists, single.length + 1),
    lua,
  ].join("\n");
  return {
    text,
    sha1: createHash("sha1").update(text).digest("hex"),
    encode(input) {
      const values: Readonly<Record<string, unknown>> = encode(input);
      const elements = lists.map((name) => values[name] as readonly string[]);
      const encoded = single.map(([name]) => String(values[name]));
      for (const { length } of elements) encoded.push(String(length));
      for (const list of elements) for (const element of list) encoded.push(element);
      return encoded;
    },
    read,
  };
}

function argumentAt(position: number, kind: keyof ValueOfKind): string {
  return kind === "number" ? `tonumber(ARGV[${position}])` : `ARGV[${position}]`;
}

/** First come the lengths of all lists, then their elements. */
function localsOfLists(lists: readonly string[], position: number): string[] {
  let start = String(position + lists.length);
  return lists.flatMap((name, index) => {
    const count = `local ${name}Count = ${argumentAt(position + index, "number")}`;
    const at = `local ${name}At = ${start}`;
    start = `${name}At + ${name}Count`;
    return [count, at];
  });
}
