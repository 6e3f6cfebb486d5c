/** The CustomResourceDefinitions of the three kinds, made from their zod schemas. */
import { stringify } from "yaml";
import { agentRuntimeSchema } from "./agent-runtime.ts";
import {
  AGENT_RUNTIME,
  GROUP,
  type OmniaKind,
  PROMPT_PACK,
  TOOL_REGISTRY,
  VERSION,
} from "./group.ts";
import { promptPackSchema } from "./prompt-pack.ts";
import { type StructuralSchema, structuralSchema } from "./structural-schema.ts";
import { toolRegistrySchema } from "./tool-registry.ts";

interface PrinterColumn {
  name: string;
  type: "string" | "integer" | "date";
  jsonPath: string;
  description?: string;
  /** A column with a priority above 0 is shown only with `-o wide`. */
  priority?: number;
}

interface Definition {
  kind: OmniaKind;
  plural: string;
  shortName: string;
  description: string;
  schema: typeof agentRuntimeSchema | typeof promptPackSchema | typeof toolRegistrySchema;
  columns: PrinterColumn[];
  scale?: { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath: string };
}

const AGE: PrinterColumn = { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" };
const PHASE = text("Phase", ".status.phase");

function text(name: string, jsonPath: string): PrinterColumn {
  return { name, type: "string", jsonPath };
}

function integer(name: string, jsonPath: string): PrinterColumn {
  return { name, type: "integer", jsonPath };
}

function reasonOf(condition: string): PrinterColumn {
  return {
    ...text("Reason", `.status.conditions[?(@.type=="${condition}")].reason`),
    description: `Reason of the condition ${condition}`,
  };
}

const DEFINITIONS: readonly Definition[] = [
  {
    kind: AGENT_RUNTIME,
    plural: "agentruntimes",
    shortName: "ar",
    description: "One agent: its model, prompts, tools, sessions and replicas",
    schema: agentRuntimeSchema,
    columns: [
      PHASE,
      { ...text("Ready", ".status.ready"), description: "Replicas that are ready and wanted" },
      text("Handler", ".spec.facade.handler"),
      text("Model", ".spec.provider.model"),
      text("Pack", ".spec.promptPackRef.name"),
      reasonOf("Ready"),
      AGE,
    ],
    scale: {
      specReplicasPath: ".spec.replicas",
      statusReplicasPath: ".status.replicas",
      labelSelectorPath: ".status.selector",
    },
  },
  {
    kind: PROMPT_PACK,
    plural: "promptpacks",
    shortName: "pp",
    description: "A versioned set of prompts, read from a ConfigMap",
    schema: promptPackSchema,
    columns: [
      PHASE,
      text("Version", ".status.activeSemver"),
      text("Canary", ".status.canarySemver"),
      integer("Weight", ".status.canaryWeight"),
      reasonOf("SourceValid"),
      { ...text("Hash", ".status.activeVersion"), priority: 1 },
      AGE,
    ],
  },
  {
    kind: TOOL_REGISTRY,
    plural: "toolregistries",
    shortName: "tr",
    description: "Tools that agents may call, given by URL or discovered from Services",
    schema: toolRegistrySchema,
    columns: [
      PHASE,
      integer("Tools", ".status.discoveredTools"),
      integer("Available", ".status.availableTools"),
      reasonOf("AllToolsReady"),
      AGE,
    ],
  },
];

/** The objects that `kubectl apply` takes. */
export function customResourceDefinitions(): object[] {
  return DEFINITIONS.map(customResourceDefinition);
}

/** The same as one YAML text. */
export function crdYAML(): string {
  return customResourceDefinitions()
    .map((definition) =>
      // Kubernetes' tools read YAML 1.1: strings that it would take for something else must be quoted.
      stringify(definition, { compat: "yaml-1.1", lineWidth: 0, aliasDuplicateObjects: false }),
    )
    .join("---\n");
}

function customResourceDefinition(definition: Definition): object {
  const { kind, plural, shortName, columns, scale } = definition;
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames: [shortName],
        categories: ["omnia"],
      },
      scope: "Namespaced",
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: rootSchema(definition) },
          subresources: { status: {}, ...(scale === undefined ? {} : { scale }) },
          additionalPrinterColumns: columns,
        },
      ],
    },
  };
}

function rootSchema({ schema, description }: Definition): StructuralSchema {
  const { apiVersion: _apiVersion, kind: _kind, metadata, spec, status } = schema.shape;
  // Kubernetes checks the metadata itself; only the name may have further bounds.
  const name = structuralSchema(metadata.shape.name);
  return {
    description,
    type: "object",
    properties: {
      apiVersion: { type: "string" },
      kind: { type: "string" },
      metadata: { type: "object", properties: { name } },
      spec: { ...structuralSchema(spec), description: "What is wanted" },
      status: { ...structuralSchema(status), description: "What was observed" },
    },
    required: ["spec"],
  };
}
