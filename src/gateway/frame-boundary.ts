/**
 * Follows the frames of a WebSocket (RFC 6455, section 5.2) in the bytes that pass, as far as it takes to know where one ends: there,
 * and only there, the gateway may say something itself. It looks at the heads of frames and skips what they carry.
 */

export class FrameBoundary {
  /** How much of the head of a frame has passed, its second byte, and the length that it tells so far. */
  #headBytes = 0;
  #second = 0;
  #length = 0;
  #bytesToSkip = 0;

  /** Whether all that passed so far is whole frames. */
  get isHere(): boolean {
    return this.#headBytes === 0 && this.#bytesToSkip === 0;
  }

  pass(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#bytesToSkip > 0) {
        const skipped = Math.min(this.#bytesToSkip, chunk.length - at);
        this.#bytesToSkip -= skipped;
        at += skipped;
      } else {
        this.#passHead(chunk[at] as number);
        at += 1;
      }
    }
  }

  #passHead(byte: number): void {
    const index = this.#headBytes;
    this.#headBytes += 1;
    if (index === 0) return;
    if (index === 1) {
      this.#second = byte;
      this.#length = (byte & 0x7f) < 126 ? byte & 0x7f : 0;
    } else if (index < 2 + lengthBytes(this.#second)) {
      this.#length = this.#length * 256 + byte;
    }
    const maskBytes = (this.#second & 0x80) === 0 ? 0 : 4;
    if (this.#headBytes < 2 + lengthBytes(this.#second) + maskBytes) return;
    this.#headBytes = 0;
    this.#bytesToSkip = this.#length;
  }
}

/** How many bytes tell the length of a frame besides the second one of its head. */
function lengthBytes(second: number): number {
  const short = second & 0x7f;
  return short === 127 ? 8 : short === 126 ? 2 : 0;
}

/** A whole frame that tells a client that the connection ends. The reason has 123 bytes at most. */
export function closeFrame(code: number, reason: string): Buffer {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(code);
  payload.write(reason, 2);
  return Buffer.concat([Buffer.from([0x88, payload.length]), payload]);
}
