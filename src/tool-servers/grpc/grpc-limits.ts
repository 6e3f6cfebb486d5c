/** The limits of gRPC tools, besides those of all tools. */

/** Bytes of all that one server tells of its types. */
export const MAX_DESCRIPTOR_BYTES = 4 * 1024 * 1024;
export const MAX_DESCRIPTOR_FILES = 1_000;
export const MAX_GRPC_SERVICES = 200;
/** Tools that one server offers. */
export const MAX_GRPC_TOOLS = 1_024;
/** Messages of one stream that are handed to the model. */
export const MAX_STREAM_MESSAGES = 100;
/** How long the list of the tools of a server is good. */
export const DESCRIPTORS_FRESH_MS = 5 * 60_000;
/** How long a turn waits for a server to say which tools it has. */
export const MAX_DESCRIBE_MS = 5_000;
/** The same for a server that said it before, or that failed or was late. */
export const MAX_DESCRIBE_AGAIN_MS = 500;
/** How long a server may take to say it, while turns go on without it. */
export const MAX_REFLECTION_MS = 30_000;
/** How long a server that was connected to may take until it speaks HTTP/2. A call ends earlier when its own time is over. */
export const MAX_GREETING_MS = 30_000;
/**
 * A message may have so many times the bytes that the model is handed of it. Most have fewer bytes than their JSON, so a larger one
 * would be cut off anyway.
 */
export const MESSAGE_BYTES_FACTOR = 4;
