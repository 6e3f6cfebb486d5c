import type {
  DescriptorProto,
  FieldDescriptorProto,
  FileDescriptorProto,
  MethodDescriptorProto,
} from "@bufbuild/protobuf/wkt";

const MAX_COMMENT_CHARACTERS = 1_000;
/** The numbers of the fields that a path goes through. */
const MESSAGES = 4;
const SERVICES = 6;
const FIELDS = 2;
const NESTED_MESSAGES = 3;
const METHODS = 2;

const comments = new WeakMap<object, string>();

/** Remembers what the author of the file wrote about its fields and methods, if the file has it. */
export function readComments(file: FileDescriptorProto): void {
  for (const { path, leadingComments, trailingComments } of file.sourceCodeInfo?.location ?? []) {
    const text = plainText(leadingComments) || plainText(trailingComments);
    const about = text === "" ? undefined : described(file, path);
    if (about !== undefined) comments.set(about, text);
  }
}

/** What was written about it. */
export function commentOf({
  proto,
}: {
  readonly proto: FieldDescriptorProto | MethodDescriptorProto;
}): string | undefined {
  return comments.get(proto);
}

function plainText(comment: string): string {
  return comment.replaceAll(/\s+/g, " ").trim().slice(0, MAX_COMMENT_CHARACTERS);
}

function described(
  file: FileDescriptorProto,
  [kind, index, ...path]: readonly number[],
): object | undefined {
  if (kind === SERVICES) {
    const [methods, method, ...rest] = path;
    if (methods !== METHODS || rest.length > 0) return undefined;
    return file.service[index ?? -1]?.method[method ?? -1];
  }
  return kind === MESSAGES ? fieldOf(file.messageType[index ?? -1], path) : undefined;
}

function fieldOf(
  message: DescriptorProto | undefined,
  [kind, index, ...path]: readonly number[],
): object | undefined {
  if (kind === NESTED_MESSAGES) return fieldOf(message?.nestedType[index ?? -1], path);
  return kind === FIELDS && path.length === 0 ? message?.field[index ?? -1] : undefined;
}
