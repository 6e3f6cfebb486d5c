/** Writes values as OpenAPI says of their parameters: the styles of RFC 6570, and those of its own. */
import type { OperationParameter, ParameterStyle } from "../../agent-config/openapi-operation.ts";

type Written = Pick<OperationParameter, "name" | "style" | "explode" | "allowReserved">;

/** What of a value is written: one text, a list of texts, or names with texts. What is null is left out. */
type Parts =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "list"; readonly texts: readonly string[] }
  | { readonly type: "fields"; readonly fields: readonly (readonly [string, string])[] };

type Encode = (text: string) => string;

/** A delimiter of another parameter stays encoded also where reserved characters are sent as they are. */
const RESERVED = /%(?:3A|2F|3F|40|24|2C|3B|3D)/gi;
const DELIMITERS: Partial<Record<ParameterStyle, string>> = {
  form: ",",
  spaceDelimited: "%20",
  pipeDelimited: "%7C",
};

/** The text in the place of `{name}` in a path. `encode` makes a value one that stays within its segment. */
export function pathText(
  { name, style, explode }: Written,
  value: unknown,
  encode: Encode,
): string {
  const parts = partsOf(value, style);
  if (style === "label") return `.${joined(parts, explode ? "." : ",", explode, encode)}`;
  if (style !== "matrix") return joined(parts, ",", explode, encode);
  if (!explode || parts.type === "text") {
    return `;${encode(name)}=${joined(parts, ",", false, encode)}`;
  }
  return parts.type === "list"
    ? parts.texts.map((text) => `;${encode(name)}=${encode(text)}`).join("")
    : parts.fields.map(([key, text]) => `;${encode(key)}=${encode(text)}`).join("");
}

/** The texts of a parameter in the query, each `name=value`. None for a value that says nothing. */
export function queryTexts(parameter: Written, value: unknown): string[] {
  const { name, style, explode, allowReserved = false } = parameter;
  const encode = (text: string): string => encodedForQuery(text, allowReserved);
  const key = encodedForQuery(name, false);
  if (style === "deepObject") {
    return deepFields(name, value).map(
      ([path, text]) => `${encodedForQuery(path, false)}=${encode(text)}`,
    );
  }
  const parts = partsOf(value, style);
  switch (parts.type) {
    case "text":
      return [`${key}=${encode(parts.text)}`];
    case "list":
      if (parts.texts.length === 0) return [];
      if (explode) return parts.texts.map((text) => `${key}=${encode(text)}`);
      return [`${key}=${parts.texts.map(encode).join(DELIMITERS[style] ?? ",")}`];
    case "fields":
      if (parts.fields.length === 0) return [];
      if (explode) {
        return parts.fields.map(
          ([field, text]) => `${encodedForQuery(field, false)}=${encode(text)}`,
        );
      }
      return [
        `${key}=${parts.fields
          .flat()
          .map(encode)
          .join(DELIMITERS[style] ?? ",")}`,
      ];
  }
}

/** The value of a header, in which nothing is encoded. */
export function headerText({ style, explode }: Written, value: unknown): string {
  return joined(partsOf(value, style), ",", explode, (text) => text);
}

/** Null, and what cannot be written, is left out. */
function partsOf(value: unknown, style: ParameterStyle): Parts {
  if (style === "json") return { type: "text", text: JSON.stringify(value).toWellFormed() };
  if (Array.isArray(value)) return { type: "list", texts: (value as unknown[]).flatMap(textOf) };
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).flatMap(([key, field]) =>
      textOf(field).map((text) => [key, text] as const),
    );
    return { type: "fields", fields };
  }
  return { type: "text", text: textOf(value)[0] ?? "" };
}

/** What is within a list or an object and is no plain value is written as JSON, for which OpenAPI has no other form. */
function textOf(value: unknown): string[] {
  if (value === null || value === undefined) return [];
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return [text.toWellFormed()];
}

function joined(parts: Parts, between: string, explode: boolean, encode: Encode): string {
  switch (parts.type) {
    case "text":
      return encode(parts.text);
    case "list":
      return parts.texts.map(encode).join(between);
    case "fields":
      return parts.fields
        .map(([key, text]) => `${encode(key)}${explode ? "=" : between}${encode(text)}`)
        .join(between);
  }
}

/** `filter[owner][name]`, and `[0]` for what is in a list. */
function deepFields(name: string, value: unknown): [string, string][] {
  if (typeof value !== "object" || value === null) {
    return textOf(value).map((text) => [name, text]);
  }
  return Object.entries(value).flatMap(([key, field]) => deepFields(`${name}[${key}]`, field));
}

function encodedForQuery(text: string, allowReserved: boolean): string {
  const encoded = encodeURIComponent(text.toWellFormed());
  return allowReserved ? encoded.replaceAll(RESERVED, decodeURIComponent) : encoded;
}
