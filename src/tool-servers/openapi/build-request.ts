/** Builds the request of one operation from its plan and the arguments of a call. */
import { headerValueProblem } from "../../agent-config/credential.ts";
import type {
  OpenApiOperation,
  OperationBody,
  OperationParameter,
} from "../../agent-config/openapi-operation.ts";
import {
  decoded,
  encodeSegment,
  leavesSegment,
  unusable,
} from "../../agent-config/path-template.ts";
import type { ToolConfig } from "../../agent-config/agent-config.ts";
import { type HttpToolRequest, type RequestContext, USUAL_HEADERS } from "../http/http-request.ts";
import { addCallerHeaders } from "../server/tool-caller.ts";
import { type HeadersConfig, toolHeaders } from "../server/tool-headers.ts";
import { multipartBody } from "./multipart-body.ts";
import { headerText, pathText, queryTexts } from "./parameter-text.ts";

type Arguments = Readonly<Record<string, unknown>>;
/** An error is for the model. */
type Failure = { readonly error: string };

/** The manifest's headers and the credential win over what the model writes. */
export async function buildOperationRequest(
  operation: OpenApiOperation,
  tool: HeadersConfig & Pick<ToolConfig, "forward" | "url" | "openapi">,
  toolArguments: Arguments,
  { readSecret, caller, now }: RequestContext,
): Promise<HttpToolRequest | Failure> {
  const given = (parameter: OperationParameter): unknown =>
    ownArgument(toolArguments, parameter.argument ?? parameter.name);
  const parametersIn = (place: OperationParameter["in"]): OperationParameter[] =>
    operation.parameters.filter(
      (parameter) => parameter.in === place && (place === "path" || given(parameter) !== undefined),
    );
  const target = targetURL(operation, parametersIn("path"), given);
  if ("error" in target) return target;
  const { url } = target;
  if (tool.authFile !== undefined && url.origin !== trustedOrigin(tool)) {
    return {
      error: "not called: the tool's credential is not for the server that only its document names",
    };
  }
  url.search = parametersIn("query")
    .flatMap((parameter) => queryTexts(parameter, given(parameter)))
    .join("&");
  const usual: [string, string][] = Object.entries(USUAL_HEADERS);
  for (const parameter of parametersIn("header")) {
    const text = headerText(parameter, given(parameter)).trim();
    if (headerValueProblem(text) !== undefined) {
      return { error: `not called: ${argumentOf(parameter)} cannot be sent: use plain characters` };
    }
    usual.push([parameter.name.toLowerCase(), text]);
  }
  const cookies = parametersIn("cookie").flatMap((parameter) =>
    queryTexts(parameter, given(parameter)),
  );
  if (cookies.length > 0) usual.push(["cookie", cookies.join("; ")]);
  const content = bodyOf(operation, toolArguments);
  if (content !== undefined) usual.push(["content-type", content.mediaType]);
  const made = await toolHeaders(tool, Object.fromEntries(usual), readSecret);
  if ("error" in made) return made;
  const { headers, credential } = made;
  const body = content?.text;
  const told = addCallerHeaders(headers, tool, { caller, credential, body, now });
  if ("error" in told) return told;
  const secrets = [...made.secrets, ...told.secrets];
  return { url, method: operation.method, headers: Object.fromEntries(headers), body, secrets };
}

/** The one origin that may see the credential: an agent may have one that was not there when the document was read. */
function trustedOrigin({ url, openapi }: Pick<ToolConfig, "url" | "openapi">): string | undefined {
  return URL.parse(openapi?.server ?? url, url)?.origin;
}

/** `undefined` also for null, which no parameter can be. */
function ownArgument(toolArguments: Arguments, name: string): unknown {
  return Object.hasOwn(toolArguments, name) ? (toolArguments[name] ?? undefined) : undefined;
}

function argumentOf({ name, argument = name }: OperationParameter): string {
  return `the argument ${JSON.stringify(argument)}`;
}

function targetURL(
  { url }: OpenApiOperation,
  parameters: readonly OperationParameter[],
  given: (parameter: OperationParameter) => unknown,
): { url: URL } | Failure {
  const [, origin = "", path = ""] = /^(https?:\/\/[^/?#]*)(.*)$/is.exec(url) ?? [];
  const names: string[] = [];
  const segments = path.split("/");
  for (const [index, segment] of segments.entries()) {
    if (!segment.includes("{")) continue;
    let filled = segment;
    for (const parameter of parameters) {
      const place = `{${parameter.name}}`;
      if (!filled.includes(place)) continue;
      const value = given(parameter);
      const argument = parameter.argument ?? parameter.name;
      if (isNothing(value)) {
        return { error: `not called: ${argumentOf(parameter)} is needed for the tool's address` };
      }
      let leaves = false;
      const text = pathText(parameter, value, (part) => {
        leaves ||= leavesSegment(part);
        return encodeSegment(part);
      });
      if (leaves || text === "") return { error: `not called: ${unusable(argument)}` };
      names.push(argument);
      filled = filled.split(place).join(text);
    }
    if (/[{}]/.test(filled)) {
      return { error: "not called: the tool's address has a place that no argument fills" };
    }
    // Two arguments side by side may make up what neither of them is.
    if (leavesSegment(decoded(filled)))
      return { error: `not called: ${unusable(names.join(", "))}` };
    segments[index] = filled;
  }
  const target = URL.parse(origin + segments.join("/"));
  if (target === null || target.origin !== URL.parse(origin)?.origin) {
    return { error: "the tool's url is not an http or https URL" };
  }
  return { url: target };
}

function isNothing(value: unknown): boolean {
  if (value === undefined || value === "") return true;
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

/** `undefined`: there is none. */
function bodyOf(
  { body, parameters }: OpenApiOperation,
  toolArguments: Arguments,
): { text: string; mediaType: string } | undefined {
  if (body === undefined) return undefined;
  const { argument } = body;
  if (argument !== undefined) {
    if (!Object.hasOwn(toolArguments, argument)) return undefined;
    const value = toolArguments[argument];
    const isText = body.type === "text" && typeof value === "string";
    return { text: isText ? value : JSON.stringify(value), mediaType: body.mediaType };
  }
  const taken = new Set(parameters.map((parameter) => parameter.argument ?? parameter.name));
  const fields = Object.entries(toolArguments).filter(([name]) => !taken.has(name));
  if (fields.length === 0 && !body.required) return undefined;
  return writtenBody(body, fields);
}

function writtenBody(
  { type, mediaType, encoding = {} }: OperationBody,
  fields: readonly (readonly [string, unknown])[],
): { text: string; mediaType: string } {
  switch (type) {
    case "json":
    case "text":
      return { text: JSON.stringify(Object.fromEntries(fields)), mediaType };
    case "form": {
      const texts = fields.flatMap(([name, value]) =>
        value === null ? [] : queryTexts({ name, ...styleOf(name, value, encoding) }, value),
      );
      return { text: texts.join("&"), mediaType };
    }
    case "multipart":
      return multipartBody(fields, mediaType);
  }
}

/** A field of a form that is an object is written as JSON, unless its document says otherwise. */
function styleOf(
  name: string,
  value: unknown,
  encoding: NonNullable<OperationBody["encoding"]>,
): Pick<OperationParameter, "style" | "explode"> {
  if (Object.hasOwn(encoding, name)) return encoding[name] ?? { style: "form", explode: true };
  const isObject = typeof value === "object" && !Array.isArray(value);
  return isObject ? { style: "json", explode: false } : { style: "form", explode: true };
}
