/** Answers a request for a file of the console. */
import type { ConsoleFile, Encoding } from "./console-files.ts";

const FOR_EVER = "public, max-age=31536000, immutable";
/** The page is asked for each time, and is not sent again while it is the same. */
const ASK_AGAIN = "no-cache";

/** `vary` names the headers that this answer depends on besides the encodings that are accepted. */
export async function answerFile(
  file: ConsoleFile,
  request: {
    readonly acceptEncoding: string | undefined;
    readonly ifNoneMatch: string | undefined;
  },
  { headers, vary = [] }: { headers: Readonly<Record<string, string>>; vary?: readonly string[] },
): Promise<Response> {
  const encoding = chooseEncoding(request.acceptEncoding, file.encodings);
  const tag = `"${file.tag}${encoding === undefined ? "" : `-${encoding}`}"`;
  const always = {
    ...headers,
    "cache-control": file.isImmutable ? FOR_EVER : ASK_AGAIN,
    etag: tag,
    vary: [...vary, "accept-encoding"].join(", "),
  };
  if (isKnown(request.ifNoneMatch, tag))
    return new Response(null, { status: 304, headers: always });
  const content = await file.read(encoding);
  return new Response(content as Uint8Array<ArrayBuffer>, {
    headers: {
      ...always,
      "content-type": file.type,
      "content-length": String(content.byteLength),
      ...(encoding === undefined ? {} : { "content-encoding": encoding }),
    },
  });
}

/** The first of `made` that the header accepts. Without the header the file is sent as it is. */
export function chooseEncoding(
  accepted: string | undefined,
  made: readonly Encoding[],
): Encoding | undefined {
  const weights = new Map<string, number>();
  for (const part of (accepted ?? "").toLowerCase().split(",")) {
    const [name = "", ...parameters] = part.split(";").map((text) => text.trim());
    const quality = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
    weights.set(name, quality === undefined ? 1 : Number(quality) || 0);
  }
  return made.find((encoding) => (weights.get(encoding) ?? weights.get("*") ?? 0) > 0);
}

function isKnown(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  return header.split(",").some((one) => {
    const known = one.trim().replace(/^W\//, "");
    return known === "*" || known === tag;
  });
}
