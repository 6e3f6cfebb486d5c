/** The host of a Host header without its port; `undefined` when the header is missing or is no host. */
export function hostOf(header: string | undefined): string | undefined {
  if (header === undefined || header === "" || /[\s/@?#\\]/.test(header)) return undefined;
  const url = URL.parse(`http://${header}`);
  return url === null ? undefined : url.hostname;
}
