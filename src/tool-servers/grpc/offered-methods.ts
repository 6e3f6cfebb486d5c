/** Decides which methods of a server are tools, and what they are called. */
import { createHash } from "node:crypto";
import type {
  DescMethod,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
} from "@bufbuild/protobuf";
import type { UnsupportedTool } from "../server/read-list.ts";
import { MAX_GRPC_TOOLS } from "./grpc-limits.ts";

/** A method that one request begins. */
export type CalledMethod = DescMethodUnary | DescMethodServerStreaming;

export interface OfferedMethods {
  /** By the name of the tool. */
  readonly methods: ReadonlyMap<string, CalledMethod>;
  /** Those that take a stream. */
  readonly unsupported: readonly UnsupportedTool[];
  /** Sentences about what else is not offered. */
  readonly notes: readonly string[];
}

export interface Restriction {
  /** Only the tools with these names. `undefined`: all. */
  readonly allow: readonly string[] | undefined;
  readonly block: readonly string[] | undefined;
}

/** Every provider accepts a name of so many characters. */
const MAX_NAME_CHARACTERS = 64;
const HASH_CHARACTERS = 8;
const TAKES_STREAM = "it takes a stream of messages, and a tool is called with one";

/** Services that are not about what a server is for: reflection, health, channelz. */
export function isInfrastructure(serviceName: string): boolean {
  return serviceName.startsWith("grpc.");
}

/** The names do not depend on what is allowed, nor on the order of the services. */
export function offeredMethods(
  services: readonly DescService[],
  { allow, block = [] }: Restriction,
): OfferedMethods {
  const notes: string[] = [];
  const unsupported: UnsupportedTool[] = [];
  const called: CalledMethod[] = [];
  const all = services.flatMap(({ methods }) => methods);
  for (const method of all.toSorted((a, b) => (fullName(a) < fullName(b) ? -1 : 1))) {
    if (isCalled(method)) called.push(method);
    else unsupported.push({ name: byService(method), reason: TAKES_STREAM });
  }
  const methods = new Map(
    [...named(called)].filter(
      ([name]) => (allow === undefined || allow.includes(name)) && !block.includes(name),
    ),
  );
  for (const name of [...methods.keys()].slice(MAX_GRPC_TOOLS)) methods.delete(name);
  const most = `the server has more than ${MAX_GRPC_TOOLS} tools, and the others are not offered; choose with allow`;
  if (methods.size === MAX_GRPC_TOOLS && called.length > MAX_GRPC_TOOLS) notes.push(most);
  for (const name of allow ?? []) {
    const isKnown = methods.has(name) || unsupported.some((each) => each.name === name);
    if (!isKnown && !block.includes(name)) {
      notes.push(`allow names ${name}, which the server does not have`);
    }
  }
  return { methods, unsupported, notes };
}

function byService({ parent, name }: DescMethod): string {
  return `${parent.name}_${name}`;
}

function isCalled(method: DescMethod): method is CalledMethod {
  switch (method.methodKind) {
    case "unary":
    case "server_streaming":
      return true;
    case "client_streaming":
    case "bidi_streaming":
      return false;
  }
}

/** The first of these names that no other method has: by the service, with its package, with a hash. */
const NAMINGS: readonly ((method: DescMethod) => string)[] = [
  byService,
  ({ parent, name }) => `${parent.typeName.replaceAll(".", "_")}_${name}`,
  (method) => `${method.parent.name}_${method.name}_${hash(fullName(method))}`,
];

function named(methods: readonly CalledMethod[]): Map<string, CalledMethod> {
  const names = new Map<string, CalledMethod>();
  let left = methods;
  for (const naming of NAMINGS) {
    const found = Map.groupBy(left, (method) => shortened(naming(method)));
    left = [];
    const clashing: CalledMethod[] = [];
    for (const [name, [only, ...others]] of found) {
      if (only === undefined) continue;
      if (others.length === 0 && !names.has(name)) names.set(name, only);
      else clashing.push(only, ...others);
    }
    left = clashing;
  }
  return names;
}

/** The end of a name says most. */
function shortened(name: string): string {
  if (name.length <= MAX_NAME_CHARACTERS) return name;
  const end = name.slice(-(MAX_NAME_CHARACTERS - HASH_CHARACTERS - 1));
  return `${hash(name)}_${end}`;
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, HASH_CHARACTERS);
}

export function fullName({ parent, name }: DescMethod): string {
  return `${parent.typeName}/${name}`;
}
