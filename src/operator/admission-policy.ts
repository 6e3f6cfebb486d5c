/**
 * What the API server holds the operator's writes to, besides its rights: rights cannot tell the objects of the operator from those
 * of others. The ValidatingAdmissionPolicy of the chart is generated from it; the chart adds for which account it counts.
 */
import { GROUP, MANAGED_BY_ANNOTATION } from "../api/group.ts";
import {
  EVENT_REPORTER,
  GATEWAY_KEY_NAME,
  LEASE_NAME,
  MANAGED_BY_LABEL,
  OPERATOR,
  SIGNING_KEY_NAME,
} from "./cluster/labels.ts";
import { ownNamespaceRules, type PolicyRule, WATCHED_NAMESPACE_RULES } from "./permissions.ts";

const WRITES = ["create", "update", "patch", "delete", "deletecollection"];

const writtenRules: readonly PolicyRule[] = [
  ...WATCHED_NAMESPACE_RULES,
  ...ownNamespaceRules({ lease: LEASE_NAME, signingKey: SIGNING_KEY_NAME }),
].filter(({ verbs }) => verbs.some((verb) => WRITES.includes(verb)));

/** Everything that the operator may write, but for the statuses of its own kinds, which only it writes. */
const written = [
  ...new Set(
    writtenRules.flatMap(({ apiGroups, resources }) =>
      resources
        .filter((resource) => !resource.endsWith("/status"))
        .map((resource) => `${apiGroups[0]}/${resource}`),
    ),
  ),
].map((each) => each.split("/") as [group: string, resource: string]);

const OWN_KINDS = written.flatMap(([group, resource]) => (group === GROUP ? resource : []));
/** What the operator makes carries its label. These are made by users, or have rules of their own. */
const WITHOUT_LABEL = listOf(["leases", "events", ...OWN_KINDS]);

/** The Secrets that the operator makes where they are missing. */
const KEY_SECRETS = [SIGNING_KEY_NAME, GATEWAY_KEY_NAME];

/** Of the metadata, nothing differs but the one annotation. */
const isOnlyAnnotated = [
  ...["labels", "finalizers", "ownerReferences"].map(
    (field) => `object.metadata.?${field} == oldObject.metadata.?${field}`,
  ),
  hasAnnotationsOf("object", "oldObject"),
  hasAnnotationsOf("oldObject", "object"),
].join(" && ");

/** The fields of a ValidatingAdmissionPolicy's spec. The expressions are in CEL. */
export const ADMISSION_POLICY = {
  failurePolicy: "Fail",
  matchConstraints: {
    resourceRules: written.map(([group, resource]) => ({
      apiGroups: [group],
      apiVersions: ["*"],
      operations: ["CREATE", "UPDATE", "DELETE"],
      resources: [resource],
    })),
  },
  variables: [
    { name: "kind", expression: "request.resource.resource" },
    { name: "subject", expression: "request.operation == 'DELETE' ? oldObject : object" },
    { name: "wasOurs", expression: `${hasLabel("oldObject")} || ${hasOwner("oldObject")}` },
  ],
  validations: [
    {
      expression: `variables.kind in ${WITHOUT_LABEL} || request.operation == 'DELETE' || ${hasLabel("object")}`,
      message: `the operator may write nothing without the label ${MANAGED_BY_LABEL}=${OPERATOR}`,
      reason: "Forbidden",
    },
    {
      // It puts its label back where somebody has removed it.
      expression: `variables.kind in ${WITHOUT_LABEL} || request.operation == 'CREATE' || variables.wasOurs`,
      message: `the operator may change and delete only what carries the label ${MANAGED_BY_LABEL}=${OPERATOR} or belongs to one of its resources`,
      reason: "Forbidden",
    },
    {
      expression: `!(variables.kind in ${listOf(OWN_KINDS)}) || (request.operation == 'UPDATE' && object.spec == oldObject.spec && ${isOnlyAnnotated})`,
      message: `the operator may change nothing of an AgentRuntime, a PromptPack or a ToolRegistry but its annotation ${MANAGED_BY_ANNOTATION}`,
      reason: "Forbidden",
    },
    {
      expression:
        "variables.kind != 'pods' || (request.operation == 'UPDATE' && object.spec == oldObject.spec)",
      message: "the operator may change nothing of a pod but its metadata",
      reason: "Forbidden",
    },
    {
      expression: `variables.kind != 'secrets' || (request.operation == 'CREATE' && variables.subject.metadata.name in ${listOf(KEY_SECRETS)})`,
      message: `the operator may write no Secret but ${KEY_SECRETS.join(" and ")}, and each of them once`,
      reason: "Forbidden",
    },
    {
      expression: `variables.kind != 'leases' || variables.subject.metadata.name == '${LEASE_NAME}'`,
      message: `the operator may write no lease but ${LEASE_NAME}`,
      reason: "Forbidden",
    },
    {
      expression: `variables.kind != 'events' || variables.subject.?reportingController.orValue('') == '${EVENT_REPORTER}'`,
      message: `the operator may write no events but those of ${EVENT_REPORTER}`,
      reason: "Forbidden",
    },
  ],
} as const;

function hasLabel(object: string): string {
  return `${object}.metadata.?labels[?'${MANAGED_BY_LABEL}'].orValue('') == '${OPERATOR}'`;
}

function hasOwner(object: string): string {
  return `${object}.metadata.?ownerReferences.orValue([]).exists(owner, owner.apiVersion.startsWith('${GROUP}/'))`;
}

/** Whether the one object has every annotation of the other with the same value, but for the annotation that tells of a claim. */
function hasAnnotationsOf(one: string, other: string): string {
  const annotations = `${other}.metadata.?annotations.orValue({})`;
  return `${annotations}.all(key, key == '${MANAGED_BY_ANNOTATION}' || ${one}.metadata.?annotations[?key] == ${other}.metadata.?annotations[?key])`;
}

function listOf(words: readonly string[]): string {
  return `[${words.map((word) => `'${word}'`).join(", ")}]`;
}
