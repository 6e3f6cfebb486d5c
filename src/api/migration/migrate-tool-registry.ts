import { TOOL_REGISTRY_FIELDS } from "../upstream/tool-registry-fields.ts";
import { applyFields } from "./apply-fields.ts";
import type { SpecEditor } from "./spec-editor.ts";

/** Under these the fields of each type of handler stand. */
const CONFIGS = ["httpConfig", "openAPIConfig", "grpcConfig", "mcpConfig"] as const;
const NO_CREDENTIAL = "a tool is sent a bearer token, from authSecretRef";

export function migrateToolRegistry(editor: SpecEditor, namespace: string): void {
  const wasList = editor.get("tools") !== undefined;
  if (wasList) editor.toComment(["handlers"], "tools counts, and both cannot stand");
  const isHandlers = editor.get("handlers") !== undefined;
  editor.move(["handlers"], ["tools"]);
  const names = new Set<string>();
  for (let index = 0; index < editor.count("tools"); index++) {
    if (isHandlers) migrateHandler(editor, index, names);
    migrateEntry(editor, index, namespace);
  }
  applyFields(
    editor,
    TOOL_REGISTRY_FIELDS.map((field) => ({
      ...field,
      from: field.from.replace(/^handlers\[\]/, "tools[]"),
    })).filter(({ from, to }) => from !== to),
  );
  // What runs no URL cannot be kept: a tool without one is refused.
  for (let index = editor.count("tools") - 1; index >= 0; index--) {
    const at = ["tools", index];
    if (editor.get(...at, "url") === undefined && editor.get(...at, "selector") === undefined) {
      editor.toComment(at, "a tool is behind a URL or a Service here");
    }
  }
  if (editor.get("tools") === undefined) editor.set(["tools"], []);
}

function migrateHandler(editor: SpecEditor, index: number, names: Set<string>): void {
  const at = ["tools", index];
  // The model calls a tool by the name of its definition, and so do packs, with "_" for "-".
  const called = editor.text(...at, "tool", "name")?.replaceAll("_", "-");
  const isName = called !== undefined && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(called);
  if (isName && called.length <= 63 && !names.has(called)) editor.set([...at, "name"], called);
  editor.remove([...at, "tool", "name"]);
  names.add(editor.text(...at, "name") ?? "");
  const type = editor.text(...at, "auth", "type") ?? editor.text(...at, "httpConfig", "authType");
  const other = type ?? editor.text(...at, "openAPIConfig", "authType") ?? "bearer";
  if (other !== "bearer" && other !== "none") {
    for (const path of [
      ["auth"],
      ["httpConfig", "authSecretRef"],
      ["openAPIConfig", "authSecretRef"],
    ]) {
      editor.toComment([...at, ...path], NO_CREDENTIAL, true);
    }
  }
  for (const config of CONFIGS) {
    editor.move([...at, config, "retryPolicy", "maxAttempts"], [...at, "retries"], {
      convert: (attempts) => (typeof attempts === "number" ? Math.max(0, attempts - 1) : undefined),
      otherwise: "it is no number",
    });
  }
  const isTLS = editor.get(...at, "grpcConfig", "tls") === true;
  editor.remove([...at, "grpcConfig", "tls"]);
  const endpoint = editor.text(...at, "grpcConfig", "endpoint");
  if (isTLS && endpoint !== undefined && !endpoint.includes("://")) {
    editor.set([...at, "grpcConfig", "endpoint"], `grpcs://${endpoint}`);
  }
  const method = editor.text(...at, "httpConfig", "method");
  if (method !== undefined) editor.set([...at, "httpConfig", "method"], method.toUpperCase());
  if (editor.text(...at, "type") === "client") {
    editor.toComment([...at, "clientConfig"], "tools run behind a URL here, and not at the client");
  }
}

function migrateEntry(editor: SpecEditor, index: number, namespace: string): void {
  const at = ["tools", index];
  editor.move([...at, "schema", "input"], [...at, "inputSchema"], {
    convert: parseSchema,
    otherwise: "it is no JSON Schema of an object",
  });
  for (const selector of [
    [...at, "endpoint", "selector"],
    [...at, "selector"],
  ]) {
    if (editor.text(...selector, "namespace") === namespace) {
      editor.remove([...selector, "namespace"]);
    }
    editor.move([...selector, "port"], [...at, "port"], {
      convert: (port) => (typeof port === "string" && /^[0-9]+$/.test(port) ? Number(port) : port),
    });
    if (editor.get(...selector, "matchLabels") !== undefined) {
      const why = 'give the Service the label omnia.altairalabs.ai/tool: "true", too';
      editor.remark(`spec.tools[${index}].selector`, why, true);
    }
  }
}

function parseSchema(text: unknown): unknown {
  if (typeof text !== "string") return text;
  try {
    const schema: unknown = JSON.parse(text);
    return typeof schema === "object" && schema !== null && !Array.isArray(schema)
      ? schema
      : undefined;
  } catch {
    return undefined;
  }
}
