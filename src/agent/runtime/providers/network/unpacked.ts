import type { IncomingMessage } from "node:http";
import { pipeline, type Readable } from "node:stream";
import { constants, createBrotliDecompress, createUnzip, createZstdDecompress } from "node:zlib";

/** The encodings that an answer may have. */
export const ACCEPTED_ENCODINGS = "gzip, br, zstd";

const { BROTLI_OPERATION_FLUSH, ZSTD_e_continue, Z_SYNC_FLUSH } = constants;

/**
 * The body of an answer as it was before it was compressed. What came is given out without waiting for more, and a body that breaks
 * off ends there. One in an encoding that is not known is given as it is.
 */
export function unpacked(response: IncomingMessage): Readable {
  const encodings = response.headers["content-encoding"]
    ?.trim()
    .toLowerCase()
    .split(/\s*,\s*/);
  const steps = (encodings ?? []).toReversed().map(unpacker);
  if (steps.length === 0 || steps.length > MAX_ENCODINGS) return response;
  const known = steps.filter((step) => step !== undefined);
  if (known.length < steps.length) return response;
  // Whoever reads the last stream is told of what breaks any of them.
  return pipeline([response, ...known], () => {}) as unknown as Readable;
}

const MAX_ENCODINGS = 5;

function unpacker(encoding: string) {
  switch (encoding) {
    case "gzip":
    case "x-gzip":
    case "deflate":
      return createUnzip({ flush: Z_SYNC_FLUSH, finishFlush: Z_SYNC_FLUSH });
    case "br":
      return createBrotliDecompress({
        flush: BROTLI_OPERATION_FLUSH,
        finishFlush: BROTLI_OPERATION_FLUSH,
      });
    case "zstd":
      return createZstdDecompress({ flush: ZSTD_e_continue });
    default:
      return undefined;
  }
}
