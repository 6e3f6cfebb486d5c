/** When a provider that refused a request wants to be asked again. */

/** In seconds. `error` is one that a provider's package throws; `now` is needed for a date. Undefined when the provider does not say it. */
export function retryAfterOf(error: object, now: number): number | undefined {
  const { responseHeaders, responseBody } = error as {
    responseHeaders?: Record<string, string | undefined>;
    responseBody?: unknown;
  };
  const milliseconds = Number.parseFloat(responseHeaders?.["retry-after-ms"] ?? "");
  if (milliseconds >= 0 && Number.isFinite(milliseconds)) return Math.ceil(milliseconds / 1000);
  const header = responseHeaders?.["retry-after"]?.trim() ?? "";
  const seconds = /^(\d{1,9}(?:\.\d*)?)\s*s?$/i.exec(header)?.[1];
  if (seconds !== undefined) return Math.ceil(Number(seconds));
  const date = /^[a-z]{3}|^\d{4}-/i.test(header) ? Date.parse(header) : Number.NaN;
  if (!Number.isNaN(date)) return Math.max(0, Math.ceil((date - now) / 1000));
  return typeof responseBody === "string" ? secondsIn(responseBody) : undefined;
}

/** Google says it in a field of the answer's body, others in the words of their message. */
function secondsIn(body: string): number | undefined {
  const delay = GOOGLE_RETRY_DELAY.exec(body)?.[1];
  if (delay !== undefined) return Math.ceil(Number(delay));
  const { hours, minutes, seconds, milliseconds } = WORDS.exec(body)?.groups ?? {};
  if ((hours ?? minutes ?? seconds ?? milliseconds) === undefined) return undefined;
  const whole = Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0);
  return Math.ceil(whole + Number(milliseconds ?? 0) / 1000);
}

const GOOGLE_RETRY_DELAY = /"retryDelay":\s*"(\d+(?:\.\d+)?)s"/;

/** `try again in 7m12.5s`, `retry after 20 seconds`, `try again in 250ms` */
const WORDS =
  /\b(?:try again|retry) (?:in|after) (?:(?<hours>\d{1,3}) ?h(?:ours?)? ?)?(?:(?<minutes>\d{1,4}) ?m(?:in(?:utes?)?)?(?!s) ?)?(?:(?<seconds>\d{1,6}(?:\.\d{1,9})?) ?s)?(?:(?<milliseconds>\d{1,9}(?:\.\d{1,9})?) ?ms)?/i;
