/**
 * Finds the services in a set of descriptors, as `protoc --descriptor_set_out` writes it, without the packages that read all of it: a
 * control plane needs to know no more.
 */

/** The numbers of the fields that are read: of FileDescriptorSet, FileDescriptorProto and ServiceDescriptorProto. */
const FILE = 1;
const FILE_NAME = 1;
const PACKAGE = 2;
const SERVICE = 6;
const SERVICE_NAME = 1;

interface Field {
  readonly number: number;
  /** `undefined` for a number. */
  readonly bytes: Uint8Array | undefined;
}

/** The full names of the services; `undefined` when the bytes are no set of descriptors. */
export function descriptorSetServices(bytes: Uint8Array): string[] | undefined {
  try {
    const files = fieldsOf(bytes);
    if (files.length === 0 || files.some(({ number }) => number !== FILE)) return undefined;
    return files.flatMap((file) => servicesOf(fieldsOf(file.bytes)));
  } catch (error) {
    if (error instanceof NotReadableError) return undefined;
    throw error;
  }
}

class NotReadableError extends Error {
  override readonly name = "NotReadableError";
}

function servicesOf(file: readonly Field[]): string[] {
  if (!file.some(({ number, bytes }) => number === FILE_NAME && bytes !== undefined)) {
    throw new NotReadableError("a file has no name");
  }
  const scope = file.findLast(({ number }) => number === PACKAGE);
  const prefix = scope === undefined ? "" : `${textOf(scope)}.`;
  return file
    .filter(({ number }) => number === SERVICE)
    .flatMap(({ bytes }) => fieldsOf(bytes).filter(({ number }) => number === SERVICE_NAME))
    .map((name) => prefix + textOf(name));
}

function textOf({ bytes }: Field): string {
  return new TextDecoder().decode(bytes);
}

/** The wire format of Protocol Buffers: a tag, and what its type says comes after it. Throws on anything else. */
function fieldsOf(bytes: Uint8Array | undefined): Field[] {
  if (bytes === undefined) throw new NotReadableError("a message is a number");
  const fields: Field[] = [];
  let at = 0;
  const take = (length: number): Uint8Array => {
    if (length > bytes.length - at) throw new NotReadableError("a field has no end");
    at += length;
    return bytes.subarray(at - length, at);
  };
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; factor < 2 ** 63; factor *= 128) {
      const [byte = 0] = take(1);
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw new NotReadableError("a number has no end");
  };
  while (at < bytes.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        varint();
        fields.push({ number, bytes: undefined });
        break;
      case 1:
        fields.push({ number, bytes: take(8) });
        break;
      case 2:
        fields.push({ number, bytes: take(varint()) });
        break;
      case 5:
        fields.push({ number, bytes: take(4) });
        break;
      default:
        throw new NotReadableError("a field has an unknown type");
    }
  }
  return fields;
}
