/** Makes descriptors of what servers and files say of their types, which is often less than what the specification asks for. */
import { createFileRegistry, create, isFieldSet, type FileRegistry } from "@bufbuild/protobuf";
import { protoCamelCase } from "@bufbuild/protobuf/reflect";
import {
  type DescriptorProto,
  type FieldDescriptorProto,
  FieldDescriptorProto_Type,
  FieldDescriptorProtoSchema,
  type FileDescriptorProto,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { readComments } from "./comments.ts";
import { wellKnownFiles } from "./well-known-files.ts";

export interface Descriptors {
  readonly registry: FileRegistry;
  /** Sentences about files that cannot be used. */
  readonly notes: readonly string[];
}

type Kind = "message" | "enum";

interface Symbols {
  /** Full name → what it is, and the file that has it. */
  readonly kinds: ReadonlyMap<string, { readonly kind: Kind; readonly file: string }>;
}

/**
 * A file that cannot be used is left out, and so are those that need it. The files are completed in place. Throws where no
 * descriptors can be made of what is left.
 */
export function toDescriptors(files: readonly FileDescriptorProto[]): Descriptors {
  const notes: string[] = [];
  const wellKnown = wellKnownFiles();
  const usable = new Map(wellKnown.map((file) => [file.name, file]));
  const others = files.filter(({ name }) => !usable.has(name));
  const symbols = symbolsOf([...wellKnown, ...others]);
  for (const file of others) {
    try {
      complete(file, symbols);
      usable.set(file.name, file);
    } catch (error) {
      notes.push(`${file.name} cannot be used: ${(error as Error).message}`);
    }
  }
  const file = inOrder(usable, notes);
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file }));
  return { registry, notes };
}

/** The names of files that others import and that are not among them. */
export function missingImports(files: readonly FileDescriptorProto[]): string[] {
  const known = new Set([...wellKnownFiles(), ...files].map(({ name }) => name));
  const wanted = new Set(files.flatMap(({ dependency }) => dependency));
  return [...wanted].filter((name) => !known.has(name));
}

function symbolsOf(files: Iterable<FileDescriptorProto>): Symbols {
  const kinds = new Map<string, { kind: Kind; file: string }>();
  for (const file of files) {
    const addMessage = (scope: string, message: DescriptorProto): void => {
      const name = joined(scope, message.name);
      kinds.set(name, { kind: "message", file: file.name });
      for (const nested of message.nestedType) addMessage(name, nested);
      for (const nested of message.enumType) {
        kinds.set(joined(name, nested.name), { kind: "enum", file: file.name });
      }
    };
    for (const message of file.messageType) addMessage(file.package, message);
    for (const each of file.enumType) {
      kinds.set(joined(file.package, each.name), { kind: "enum", file: file.name });
    }
  }
  return { kinds };
}

/**
 * Fills in the JSON names, which Python leaves out, and writes every name of a type in full, since some servers write it relative to
 * its place. The imports become those files that are needed. Throws on a name that stands for nothing.
 */
function complete(file: FileDescriptorProto, { kinds }: Symbols): void {
  const needed = new Set<string>();
  const resolve = (written: string, scope: string): { name: string; kind: Kind } => {
    for (const name of candidates(written, scope)) {
      const found = kinds.get(name);
      if (found === undefined) continue;
      if (found.file !== file.name) needed.add(found.file);
      return { name: `.${name}`, kind: found.kind };
    }
    throw new Error(`it names the type ${written}, which no file has`);
  };
  const completeField = (field: FieldDescriptorProto, scope: string): void => {
    if (field.jsonName === "") field.jsonName = protoCamelCase(field.name);
    if (field.typeName === "") return;
    const { name, kind } = resolve(field.typeName, scope);
    field.typeName = name;
    if (isFieldSet(field, FieldDescriptorProtoSchema.field.type)) return;
    field.type =
      kind === "enum" ? FieldDescriptorProto_Type.ENUM : FieldDescriptorProto_Type.MESSAGE;
  };
  /** No tool depends on them: one of a type that is not known is left out. */
  const completed = (extensions: FieldDescriptorProto[], scope: string): FieldDescriptorProto[] =>
    extensions.filter((extension) => {
      try {
        completeField(extension, scope);
        extension.extendee = resolve(extension.extendee, scope).name;
        return true;
      } catch {
        return false;
      }
    });
  const completeMessage = (message: DescriptorProto, outer: string): void => {
    const scope = joined(outer, message.name);
    for (const field of message.field) completeField(field, scope);
    for (const nested of message.nestedType) completeMessage(nested, scope);
    message.extension = completed(message.extension, scope);
  };
  for (const message of file.messageType) completeMessage(message, file.package);
  file.extension = completed(file.extension, file.package);
  for (const method of file.service.flatMap((service) => service.method)) {
    method.inputType = resolve(method.inputType, file.package).name;
    method.outputType = resolve(method.outputType, file.package).name;
  }
  file.dependency = [...needed];
  file.publicDependency = [];
  file.weakDependency = [];
  readComments(file);
}

/** The full names that a name may mean, from the innermost place outwards. */
function* candidates(written: string, scope: string): Iterable<string> {
  if (written.startsWith(".")) {
    yield written.slice(1);
    return;
  }
  for (
    let outer = scope;
    outer !== "";
    outer = outer.slice(0, Math.max(0, outer.lastIndexOf(".")))
  ) {
    yield `${outer}.${written}`;
  }
  yield written;
}

/** Each file comes after those that it imports. */
function inOrder(files: Map<string, FileDescriptorProto>, notes: string[]): FileDescriptorProto[] {
  const left = new Map(files);
  const ordered = new Map<string, FileDescriptorProto>();
  for (let before = -1; before !== ordered.size;) {
    before = ordered.size;
    for (const [name, file] of left) {
      if (!file.dependency.every((each) => ordered.has(each))) continue;
      ordered.set(name, file);
      left.delete(name);
    }
  }
  for (const name of left.keys()) {
    notes.push(`${name} cannot be used: it needs a file that cannot be used, or that needs it`);
  }
  return [...ordered.values()];
}

function joined(scope: string, name: string): string {
  return scope === "" ? name : `${scope}.${name}`;
}
