import { hash } from "node:crypto";

/**
 * A form as multipart/form-data, without files. Lists are repeated, and what is no text, number or boolean goes as JSON. The boundary
 * follows from the fields, so that another attempt sends the same.
 */
export function multipartBody(
  fields: readonly (readonly [string, unknown])[],
  mediaType: string,
): { text: string; mediaType: string } {
  const parts = fields.flatMap(([name, value]) =>
    (Array.isArray(value) ? (value as unknown[]) : [value])
      .filter((item) => item !== null && item !== undefined)
      .map((item) => partOf(name, item)),
  );
  // No text has a digest of itself in it.
  const boundary = `omnia-${hash("sha256", parts.join("\n"), "hex").slice(0, 32)}`;
  const text = [...parts.map((part) => `--${boundary}\r\n${part}\r\n`), `--${boundary}--\r\n`];
  const [type = ""] = mediaType.split(";");
  return { text: text.join(""), mediaType: `${type.trim()}; boundary=${boundary}` };
}

function partOf(name: string, value: unknown): string {
  const disposition = `content-disposition: form-data; name="${escaped(name)}"`;
  if (typeof value === "string") return `${disposition}\r\n\r\n${value.toWellFormed()}`;
  if (typeof value === "object") {
    return `${disposition}\r\ncontent-type: application/json\r\n\r\n${JSON.stringify(value)}`;
  }
  return `${disposition}\r\n\r\n${JSON.stringify(value)}`;
}

/** As browsers do it. */
function escaped(name: string): string {
  return name.toWellFormed().replaceAll("\r", "%0D").replaceAll("\n", "%0A").replaceAll('"', "%22");
}
