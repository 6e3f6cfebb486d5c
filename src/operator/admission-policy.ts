/**
 * What the API server holds the operator's writes to, besides its rights: rights cannot tell the objects of the operator from those
 * of others. The ValidatingAdmissionPolicy of the chart is generated from it; the chart adds for which account it counts.
 */
import { GROUP } from "../api/group.ts";
import {
  EVENT_REPORTER,
  LEASE_NAME,
  MANAGED_BY_LABEL,
  OPERATOR,
  SIGNING_KEY_NAME,
} from "./cluster/labels.ts";
import { ownNamespaceRules, type PolicyRule, WATCHED_NAMESPACE_RULES } from "./permissions.ts";

const WRITES = ["create", "update", "patch", "delete", "deletecollection"];

/** Everything that the operator may write, but for the statuses of its own kinds, which only it writes. */
const writtenRules: readonly PolicyRule[] = [
  ...WATCHED_NAMESPACE_RULES,
  ...ownNamespaceRules({ lease: LEASE_NAME, signingKey: SIGNING_KEY_NAME }),
].filter(
  ({ apiGroups, verbs }) =>
    !apiGroups.includes(GROUP) && verbs.some((verb) => WRITES.includes(verb)),
);

const written = [
  ...new Set(
    writtenRules.flatMap(({ apiGroups, resources }) =>
      resources.map((resource) => `${apiGroups[0]}/${resource}`),
    ),
  ),
].map((each) => each.split("/") as [group: string, resource: string]);

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
      expression: `variables.kind in ['leases', 'events'] || request.operation == 'DELETE' || ${hasLabel("object")}`,
      message: `the operator may write nothing without the label ${MANAGED_BY_LABEL}=${OPERATOR}`,
      reason: "Forbidden",
    },
    {
      // It puts its label back where somebody has removed it.
      expression:
        "variables.kind in ['leases', 'events'] || request.operation == 'CREATE' || variables.wasOurs",
      message: `the operator may change and delete only what carries the label ${MANAGED_BY_LABEL}=${OPERATOR} or belongs to one of its resources`,
      reason: "Forbidden",
    },
    {
      expression:
        "variables.kind != 'pods' || (request.operation == 'UPDATE' && object.spec == oldObject.spec)",
      message: "the operator may change nothing of a pod but its metadata",
      reason: "Forbidden",
    },
    {
      expression: `variables.kind != 'secrets' || (request.operation == 'CREATE' && variables.subject.metadata.name == '${SIGNING_KEY_NAME}')`,
      message: `the operator may write no Secret but ${SIGNING_KEY_NAME}, and that one once`,
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
