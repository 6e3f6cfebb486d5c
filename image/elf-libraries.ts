/** Which libraries a program of any architecture is linked to, as its ELF file says: `ldd` tells it only of programs of its own machine. */

const MAGIC = 0x7f454c46;
const SEGMENT_DYNAMIC = 2;
const SEGMENT_INTERPRETER = 3;
const SEGMENT_LOAD = 1;
const ENTRY_NEEDED = 1;
const ENTRY_STRINGS = 5;
/** ELF's numbers → what container images call the architecture. */
const MACHINES: Readonly<Record<number, string>> = { 62: "amd64", 183: "arm64" };

export interface ElfFile {
  readonly architecture: string;
  /** The dynamic loader, as an absolute path; a library names none. */
  readonly loader: string | undefined;
  /** Such as `libc.so.6`. */
  readonly needed: readonly string[];
}

/** Reads a 64-bit file of little-endian numbers. Throws when it is something else. */
export function readElf(file: Buffer): ElfFile {
  if (file.length < 64 || file.readUInt32BE(0) !== MAGIC || file[4] !== 2 || file[5] !== 1) {
    throw new Error("this is no 64-bit ELF file of little-endian numbers");
  }
  const machine = file.readUInt16LE(18);
  const architecture = MACHINES[machine];
  if (architecture === undefined)
    throw new Error(`no image is built for machine ${machine} of ELF`);
  const at = (offset: number): number => Number(file.readBigUInt64LE(offset));
  const [headers, size, count] = [at(32), file.readUInt16LE(54), file.readUInt16LE(56)];
  const segments = Array.from({ length: count }, (_, index) => {
    const header = headers + index * size;
    return {
      type: file.readUInt32LE(header),
      offset: at(header + 8),
      address: at(header + 16),
      size: at(header + 32),
    };
  });
  const dynamic = segments.find(({ type }) => type === SEGMENT_DYNAMIC);
  const interpreter = segments.find(({ type }) => type === SEGMENT_INTERPRETER);
  const entries = Array.from({ length: Math.floor((dynamic?.size ?? 0) / 16) }, (_, index) => {
    const entry = (dynamic?.offset ?? 0) + index * 16;
    return { tag: at(entry), value: at(entry + 8) };
  });
  const strings = entries.find(({ tag }) => tag === ENTRY_STRINGS)?.value ?? 0;
  const holder = segments.find(
    ({ type, address, size: length }) =>
      type === SEGMENT_LOAD && strings >= address && strings < address + length,
  );
  const start = strings - (holder?.address ?? 0) + (holder?.offset ?? 0);
  return {
    architecture,
    loader: interpreter && textAt(file, interpreter.offset),
    needed: entries
      .filter(({ tag }) => tag === ENTRY_NEEDED)
      .map(({ value }) => textAt(file, start + value)),
  };
}

function textAt(file: Buffer, offset: number): string {
  return file.toString("utf8", offset, file.indexOf(0, offset));
}
