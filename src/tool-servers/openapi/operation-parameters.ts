/** Reads the parameters of an operation, and gives each the name of an argument. */
import type { OperationParameter } from "../../agent-config/openapi-operation.ts";
import {
  isObject,
  type JSONObject,
  listOf,
  type OpenApiDocument,
  shown,
  UnsupportedError,
} from "./openapi-document.ts";
import { readStyle } from "./parameter-style.ts";

export interface ReadParameter {
  readonly plan: OperationParameter;
  /** The name of its argument. */
  readonly argument: string;
  readonly schema: unknown;
  readonly description: unknown;
  readonly isRequired: boolean;
}

interface WrittenParameter {
  readonly name: string;
  readonly place: OperationParameter["in"];
  readonly written: JSONObject;
}

const PLACES: readonly unknown[] = ["path", "query", "header", "cookie"];
/** They belong to the transport, to the registry or to the agent. */
const NO_PARAMETERS =
  /^(accept|accept-encoding|authorization|connection|content-encoding|content-length|content-type|cookie|expect|host|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|user-agent|x-omnia-.*)$/i;
/** Names of credentials, as letters and digits alone, whether or not the document says that they are. */
const CREDENTIALS: Readonly<Record<"query" | "header" | "cookie", RegExp>> = {
  query: /^x?(api|auth|access|subscription|secret)(key|token)$|^clientsecret$/,
  header:
    /(apikey|subscriptionkey|secretkey|secret|password|credentials?)$|(?<!page|next|continuation|sync|cursor)token$|^x?auth(entication|orization)?$/,
  cookie: /sess|token|auth|jwt|csrf|xsrf|secret|apikey|^(connect)?sid$/,
};
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const ARGUMENT_CHARACTERS = /[^A-Za-z0-9_.-]+/g;
const MAX_ARGUMENT_CHARACTERS = 64;

/**
 * `levels` are the lists of the operation and of its path, the nearest first. `bodyArguments` are names that are taken. Throws an
 * UnsupportedError.
 */
export function readParameters(
  document: OpenApiDocument,
  path: string,
  levels: readonly unknown[],
  bodyArguments: ReadonlySet<string>,
): ReadParameter[] {
  const found = new Map<string, WrittenParameter>();
  for (const each of levels.flatMap(listOf)) {
    const written = document.resolved(each);
    const { in: place, name } = written;
    if (typeof name !== "string" || name === "") continue;
    if (place === "querystring") {
      throw new UnsupportedError("it takes its whole query as one parameter, which cannot be sent");
    }
    if (!PLACES.includes(place)) continue;
    const where = place as OperationParameter["in"];
    const key = `${where} ${where === "header" ? name.toLowerCase() : name}`;
    if (!found.has(key)) found.set(key, { name, place: where, written });
  }
  const inPath = pathNames(path);
  for (const name of inPath) {
    const key = `path ${name}`;
    if (!found.has(key)) found.set(key, { name, place: "path", written: {} });
  }
  const secret = credentialsOf(document);
  const parameters = [...found.values()].filter(
    ({ name, place }) =>
      (place !== "path" || inPath.includes(name)) &&
      !(place === "header" && NO_PARAMETERS.test(name)) &&
      !isCredential(name, place, secret),
  );
  for (const { name, place } of parameters) {
    if (place !== "header" || HEADER_NAME.test(name)) continue;
    throw new UnsupportedError(`its header ${shown(name)} has a name that HTTP does not allow`);
  }
  return named(parameters, bodyArguments).map(([parameter, argument]) =>
    readOne(parameter, argument),
  );
}

function pathNames(path: string): string[] {
  return [...new Set([...path.matchAll(/\{([^{}/]+)\}/g)].map(([, name = ""]) => name))];
}

/** The parameters that the document's own security schemes are sent in. */
function credentialsOf(document: OpenApiDocument): ReadonlySet<string> {
  const { components } = document.root;
  const schemes = isObject(components) ? components["securitySchemes"] : undefined;
  if (!isObject(schemes)) return new Set();
  const keys = Object.values(schemes).flatMap((each) => {
    const { type, in: place, name } = document.resolvedIfThere(each);
    if (type !== "apiKey" || typeof place !== "string" || typeof name !== "string") return [];
    return [`${place} ${place === "header" ? name.toLowerCase() : name}`];
  });
  return new Set(keys);
}

function isCredential(
  name: string,
  place: OperationParameter["in"],
  secret: ReadonlySet<string>,
): boolean {
  if (place === "path") return false;
  if (secret.has(`${place} ${place === "header" ? name.toLowerCase() : name}`)) return true;
  return CREDENTIALS[place].test(name.toLowerCase().replaceAll(/[^a-z0-9]/g, ""));
}

/** A name that parameters share, or that the body has too, says where the parameter is. The body keeps its names. */
function named(
  parameters: readonly WrittenParameter[],
  bodyArguments: ReadonlySet<string>,
): [WrittenParameter, string][] {
  const wished = parameters.map(({ name }) => argumentName(name));
  const taken = new Set(bodyArguments);
  return parameters.map((parameter, index) => {
    const wish = wished[index] ?? "";
    const isShared = bodyArguments.has(wish) || wished.filter((each) => each === wish).length > 1;
    const base = isShared ? `${wish}__${parameter.place}` : wish;
    let argument = base;
    for (let count = 2; taken.has(argument); count += 1) argument = `${base}_${count}`;
    taken.add(argument);
    return [parameter, argument];
  });
}

/** Not every provider takes other characters in the name of an argument. */
function argumentName(name: string): string {
  const clean = name.replaceAll(ARGUMENT_CHARACTERS, "_");
  const bare = clean === name ? name : clean.replaceAll(/^_+|_+$/g, "");
  return bare.slice(0, MAX_ARGUMENT_CHARACTERS - "__cookie".length) || "parameter";
}

function readOne({ name, place, written }: WrittenParameter, argument: string): ReadParameter {
  const { schema, description, required, allowReserved } = written;
  const content = isObject(written["content"]) ? Object.entries(written["content"]) : [];
  const [mediaType, media] = content[0] ?? [];
  if (mediaType !== undefined && !/json/i.test(mediaType)) {
    throw new UnsupportedError(
      `its parameter ${shown(name)} is written as ${shown(mediaType)}, which cannot be sent`,
    );
  }
  const isJSON = mediaType !== undefined;
  const style = isJSON ? { style: "json" as const, explode: false } : readStyle(written, place);
  return {
    plan: {
      name,
      ...(argument === name ? {} : { argument }),
      in: place,
      ...style,
      ...(allowReserved === true && place === "query" ? { allowReserved: true } : {}),
    },
    argument,
    schema: isJSON ? (isObject(media) ? media["schema"] : {}) : (schema ?? { type: "string" }),
    description,
    isRequired: place === "path" || required === true,
  };
}
