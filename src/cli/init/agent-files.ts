/** The manifests of a new agent, with comments for the person who goes on from there. */
import { isLoopback } from "../../protocol/origin.ts";
import { modelListURL } from "./find-models.ts";
import { MODEL_SOURCES } from "./model-sources.ts";
import type { InitPlan } from "./plan.ts";

export interface NewFile {
  readonly name: string;
  /** What it is, in a few words. */
  readonly about: string;
  readonly text: string;
}

/** The files that every agent gets. */
export const AGENT_FILES = ["agent.yaml", "prompts.yaml", "tools.yaml"] as const;

const API_VERSION = "apiVersion: omnia.altairalabs.ai/v1alpha1";
/** Whoever runs the server wants no key, and a provider needs one all the same. */
const NO_KEY = "not-needed";

export function agentFiles(plan: InitPlan): readonly NewFile[] {
  const [agent, prompts, tools] = AGENT_FILES;
  const files = [
    { name: agent, about: "the agent: what answers, and with what", text: agentText(plan) },
    { name: prompts, about: "what the model is told", text: promptsText(plan) },
    { name: tools, about: "what the model may call: an example", text: toolsText(plan) },
  ];
  if (!needsNoKey(plan)) return files;
  const about = "the key that a local server does not want";
  return [...files, { name: "secrets.yaml", about, text: secretsText(plan) }];
}

export function secretNameOf({ name }: InitPlan): string {
  return `${name}-model`;
}

/** Whether the model is on a local server, which seldom wants a key. */
export function needsNoKey({ source, baseURL }: InitPlan): boolean {
  if (source.kind === "handler" || baseURL === undefined) return false;
  return source.kind === "local" || isLoopback(new URL(baseURL).hostname);
}

function agentText(plan: InitPlan): string {
  const { name } = plan;
  return `# The agent ${name}. The files beside this one have its prompt and its tools. Change whatever you like:
# \`omnia up\` and a cluster take an edit up while the agent runs.
${API_VERSION}
kind: AgentRuntime
metadata:
  name: ${name}
spec:
${plan.source.kind === "handler" ? handlerText(plan, plan.source.handler) : modelText(plan)}
  # A session is forgotten this long after its last message. Sessions in memory end with the process; "type: redis" keeps them.
  session:
    type: memory
    ttl: 1h
`;
}

function modelText(plan: InitPlan): string {
  const { name } = plan;
  const registry = ["toolRegistryRef:", `  name: ${name}-tools`];
  const tools = needsNoKey(plan)
    ? [
        "# Not every model of a local server can call tools, and some servers refuse to be asked then. If yours can, take the # away:",
        ...registry.map((line) => `# ${line}`),
      ]
    : registry;
  return [
    "  provider:",
    ...providerLines(plan).map((line) => `    ${line}`),
    "    apiKeySecretRef:",
    `      name: ${secretNameOf(plan)}`,
    "      key: api-key",
    ...promptLines(name),
    ...tools.map((line) => `  ${line}`),
  ].join("\n");
}

function providerLines(plan: InitPlan): string[] {
  const { model = "", baseURL, source } = plan;
  const isHere = baseURL !== undefined && isLoopback(new URL(baseURL).hostname);
  return [
    ...(source.kind === "local" ? [`# ${source.title} speaks OpenAI's protocol.`] : []),
    `name: ${source.kind === "cloud" ? source.provider : "openai"}`,
    ...(baseURL === undefined
      ? ["# Models are retired after some years: set one that your key can use."]
      : []),
    `model: ${scalar(model)}`,
    ...(isHere
      ? [
          "# This machine. Pods of a cluster do not reach it: put the address of a server that they reach.",
        ]
      : []),
    ...(baseURL === undefined ? [] : [`baseURL: ${scalar(baseURL)}`]),
    ...(source.kind !== "cloud" || needsNoKey(plan)
      ? ["# A provider needs a Secret, also where the server wants no key: see secrets.yaml."]
      : [
          `# On one machine ${source.variable} in the environment may stand in for this Secret; in a cluster make it:`,
          `#   kubectl create secret generic ${secretNameOf(plan)} --from-literal=api-key=...`,
        ]),
  ];
}

function handlerText({ name }: InitPlan, handler: string): string {
  const { provider, model } = MODEL_SOURCES.openai;
  return [
    `  # The handler "${handler}" runs no model. To have one, remove these two lines, and take the # away below.`,
    "  facade:",
    `    handler: ${handler}`,
    "  # provider:",
    `  #   name: ${provider} # or anthropic, google`,
    `  #   model: ${model}`,
    "  #   apiKeySecretRef:",
    `  #     name: ${name}-model`,
    "  #     key: api-key",
    ...promptLines(name),
    "  # toolRegistryRef:",
    `  #   name: ${name}-tools`,
  ].join("\n");
}

function promptLines(name: string): string[] {
  return ["  promptPackRef:", `    name: ${name}-prompts`];
}

function promptsText({ name, purpose }: InitPlan): string {
  const prompt = [
    ...(purpose === undefined
      ? ["You are a helpful assistant."]
      : ["You are an assistant. This is what you are for:", ...linesOf(purpose), ""]),
    "Answer briefly, and say so when you do not know.",
  ];
  const template = prompt.map((line) => (line === "" ? "" : `          ${line}`)).join("\n");
  return `# The prompt. An edit is used from the next turn on; connections stay open, sessions go on.
${API_VERSION}
kind: PromptPack
metadata:
  name: ${name}-prompts
spec:
  source:
    configMapRef:
      name: ${name}-prompts
      key: pack.yaml
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: ${name}-prompts
data:
  # A PromptPack document (https://promptpack.org), as YAML or as JSON.
  pack.yaml: |
    id: ${name}
    name: ${name}
    version: 1.0.0
    template_engine:
      version: v1
      syntax: "{{variable}}"
    prompts:
      main:
        id: main
        name: Main
        version: 1.0.0
        system_template: |
${template}
`;
}

/** Unusual ends of a line become usual ones, since YAML reads them in more than one way. */
function linesOf(text: string): string[] {
  return text
    .trim()
    .split(/\r\n|[\r\n\u0085\u2028\u2029]/)
    .map((line) => line.trimEnd());
}

function toolsText({ name, source, baseURL }: InitPlan): string {
  const speaksOpenAI =
    source.kind === "local" || (source.kind === "cloud" && source.provider === "openai");
  const tool =
    speaksOpenAI && baseURL !== undefined
      ? `    # An example that works at once: it asks the server of the model which models there are.
    - name: list-models
      type: http
      method: GET
      url: ${scalar(modelListURL(baseURL))}
      description: Lists the models that the server has.
      inputSchema:
        type: object
        properties: {}
`
      : `    # An example: Open-Meteo, a public service that wants no key. With GET the arguments become the query.
    - name: weather
      type: http
      method: GET
      url: https://api.open-meteo.com/v1/forecast?current=temperature_2m,wind_speed_10m
      description: Tells the temperature and the wind at a place of the earth, now.
      inputSchema:
        type: object
        properties:
          latitude: { type: number, description: "Degrees north, such as 48.86" }
          longitude: { type: number, description: "Degrees east, such as 2.35" }
        required: [latitude, longitude]
`;
  return `# The tools. A tool is an HTTP endpoint with a JSON Schema of its arguments: put yours here.
${API_VERSION}
kind: ToolRegistry
metadata:
  name: ${name}-tools
spec:
  tools:
${tool}`;
}

function secretsText(plan: InitPlan): string {
  return `# A provider needs a key. The server on this machine wants none, so any text does. Where yours wants one, write it here, and keep
# this file to yourself then.
apiVersion: v1
kind: Secret
metadata:
  name: ${secretNameOf(plan)}
stringData:
  api-key: ${NO_KEY}
`;
}

const PLAIN = /^[A-Za-z][\w./@:-]*\w$/;
const RESERVED = /^(true|false|null|yes|no|on|off)$/i;

/** A text as YAML: in quotes unless it is plain there, too. */
function scalar(text: string): string {
  return PLAIN.test(text) && !RESERVED.test(text) ? text : JSON.stringify(text);
}
