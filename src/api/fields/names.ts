/** The forms of names that Kubernetes knows (RFC 1123, RFC 1035), and the metadata of an object. */
import { z } from "zod";
import { pattern, text } from "./types.ts";

/** The namespace of an object that names none. */
export const DEFAULT_NAMESPACE = "default";

const LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN = String.raw`${LABEL}(\.${LABEL})*`;

/** A DNS label: what a namespace or a tool is called. */
export function dnsLabel() {
  return pattern(
    63,
    new RegExp(`^${LABEL}$`),
    'must be of a-z, 0-9 and "-", and begin and end with a letter or digit (a DNS label)',
  );
}

/** A DNS label that begins with a letter: what a Service is called. */
export function serviceName(why = "a DNS label for a Service") {
  return pattern(
    63,
    /^[a-z]([-a-z0-9]*[a-z0-9])?$/,
    `must begin with a letter, be of a-z, 0-9 and "-", and end with a letter or digit (${why})`,
  );
}

/** What most objects may be called. */
export function dnsSubdomain(maxLength = 253) {
  return pattern(
    maxLength,
    new RegExp(`^${SUBDOMAIN}$`),
    'must be of a-z, 0-9, "-" and ".", and begin and end with a letter or digit',
  );
}

/** The name of an object, or an empty text: some clients write an unset name as "". */
export function dnsSubdomainOrEmpty() {
  return pattern(
    253,
    new RegExp(`^(${SUBDOMAIN})?$`),
    'must be of a-z, 0-9, "-" and ".", and begin and end with a letter or digit',
  );
}

/** A key of a ConfigMap or Secret. It becomes the name of a file, so "." and names that begin with ".." are refused. */
export const DATA_KEY_PATTERN = /^([.]?[-_a-zA-Z0-9][-._a-zA-Z0-9]*)$/;
export const DATA_KEY_MAX_LENGTH = 253;
export function dataKey() {
  return pattern(
    DATA_KEY_MAX_LENGTH,
    DATA_KEY_PATTERN,
    'must be of letters, digits, "-", "_" and "."',
  );
}

const QUALIFIED_NAME = new RegExp(
  String.raw`^(${SUBDOMAIN}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`,
);
const QUALIFIED_NAME_HINT =
  'the key must be like "name" or "example.com/name" (letters, digits, "-", "_", ".")';

/** The key of a label or annotation. */
export function isQualifiedName(key: string): boolean {
  return QUALIFIED_NAME.test(key);
}

export function labelValue() {
  return pattern(
    63,
    /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/,
    'must be of letters, digits, "-", "_" and "." (a label value)',
  );
}

function metadataMap<V extends z.ZodType>(value: V, isKey: (key: string) => boolean) {
  return z.record(z.string(), value).superRefine(
    (map, context) => {
      for (const key of Object.keys(map)) {
        if (!isKey(key)) {
          context.addIssue({ code: "custom", path: [key], message: QUALIFIED_NAME_HINT });
        }
      }
    },
    { when: ({ value: map }) => typeof map === "object" && map !== null },
  );
}

/** ObjectMeta with a name, as users write it and as an API server gives it back. */
export function metadataSchema<Name extends z.ZodType<string>>(name: Name) {
  return z.strictObject({
    name,
    // Templates write an unset namespace as an empty one.
    namespace: z
      .preprocess((given) => (given === "" ? undefined : given), dnsLabel().optional())
      .transform((namespace) => namespace ?? DEFAULT_NAMESPACE),
    labels: metadataMap(labelValue(), isQualifiedName).optional(),
    annotations: metadataMap(z.string(), (key) => isQualifiedName(key.toLowerCase())).optional(),
    generateName: z.string().optional(),
    uid: z.string().optional(),
    resourceVersion: z.string().optional(),
    generation: z.number().optional(),
    creationTimestamp: z.string().optional(),
    deletionTimestamp: z.string().optional(),
    deletionGracePeriodSeconds: z.number().optional(),
    finalizers: z.array(z.string()).optional(),
    ownerReferences: z
      .array(
        z.looseObject({ apiVersion: text(253), kind: text(253), name: text(253), uid: text(253) }),
      )
      .optional(),
    managedFields: z.array(z.unknown()).optional(),
    selfLink: z.string().optional(),
  });
}
