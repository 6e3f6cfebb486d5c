/**
 * Decides whether a request that changes something comes from where it may. A page of another site can make a browser send requests
 * here, but neither with a header of ours nor with the origin of our own pages.
 */
import { WRITE_HEADER } from "../../../http-api/paths.ts";
import { ApiProblem } from "./api-problem.ts";

const READS: readonly string[] = ["GET", "HEAD", "OPTIONS"];

export function isRead(method: string): boolean {
  return READS.includes(method);
}

/** Throws an ApiProblem for a write that is not taken. Names of headers are lower case. */
export function judgeWrite(
  method: string,
  headers: Readonly<Record<string, string | undefined>>,
): void {
  if (isRead(method)) return;
  const { host, origin, "sec-fetch-site": site } = headers;
  if (site !== undefined && site !== "same-origin") throw foreign();
  if (origin !== undefined && !isOriginOf(origin, host)) throw foreign();
  if (headers[WRITE_HEADER] === undefined) {
    throw new ApiProblem("Forbidden", `a write wants the header ${WRITE_HEADER}, with any value`);
  }
  const length = headers["content-length"];
  const hasBody = headers["transfer-encoding"] !== undefined || (length ?? "0") !== "0";
  if (hasBody && !isJSON(headers["content-type"])) {
    throw new ApiProblem("InvalidRequest", "the body has to be application/json", { status: 415 });
  }
}

function foreign(): ApiProblem {
  return new ApiProblem("Forbidden", "only pages of this address may change something here");
}

function isOriginOf(origin: string, host: string | undefined): boolean {
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}

function isJSON(type: string | undefined): boolean {
  return /^application\/json *(;|$)/i.test(type ?? "");
}
