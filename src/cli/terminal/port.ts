/** Reads a TCP port; 0 lets the system choose. Throws a RangeError that says what would be right. */
export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) throw new RangeError("A port is a number from 0 to 65535.");
  return port;
}
