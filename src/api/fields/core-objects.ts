/**
 * The kinds of core/v1 that users' files hold beside ours. Checking fields of these kinds that are not read here is left to
 * Kubernetes. ConfigMap and Secret are an exception: all fields at their top are known, so others are refused.
 */
import { z } from "zod";
import {
  DATA_KEY_MAX_LENGTH,
  DATA_KEY_PATTERN,
  dnsSubdomain,
  metadataSchema,
  serviceName,
} from "./names.ts";

export const CORE_API_VERSION = "v1";
/** The most bytes that one ConfigMap or Secret may hold: the limit is Kubernetes' own. */
export const MAX_DATA_BYTES = 1024 * 1024;

const BASE64_PATTERN = /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Line breaks, as the command `base64` writes them, are allowed. */
function isBase64(value: string): boolean {
  return BASE64_PATTERN.test(value.replaceAll(/[\r\n]/g, ""));
}

const base64 = () =>
  z.string().refine(isBase64, 'must be base64; in a Secret, plain text belongs under "stringData"');

/** A map from keys to values. A key without a value holds "". */
function dataMap(value: z.ZodType<string>) {
  const nullable = z.preprocess((given) => given ?? "", value);
  return z.record(z.string(), nullable).superRefine(
    (data, context) => {
      for (const key of Object.keys(data)) {
        if (key.length > DATA_KEY_MAX_LENGTH || !DATA_KEY_PATTERN.test(key)) {
          context.addIssue({
            code: "custom",
            path: [key],
            message: 'the key must be of letters, digits, "-", "_" and "."',
          });
        }
      }
    },
    { when: ({ value: data }) => typeof data === "object" && data !== null },
  );
}

const TEXT_HINT = "must be a string; put it in quotes";
/** A number or a word such as `true` is told of the quotes in few words. Other values are described as everywhere. */
const plainText = () =>
  z.string({ error: ({ input }) => (typeof input === "object" ? undefined : TEXT_HINT) });

export const configMapSchema = z
  .strictObject({
    apiVersion: z.literal(CORE_API_VERSION),
    kind: z.literal("ConfigMap"),
    metadata: metadataSchema(dnsSubdomain()),
    data: dataMap(plainText()).optional(),
    binaryData: dataMap(base64()).optional(),
    immutable: z.boolean().optional(),
  })
  .superRefine(({ data = {}, binaryData = {} }, context) => {
    for (const key of Object.keys(binaryData)) {
      if (Object.hasOwn(data, key)) {
        context.addIssue({
          code: "custom",
          path: ["binaryData", key],
          message: "data has the same key; keep one of the two",
        });
      }
    }
  });

/**
 * Whether an API server would refuse the ConfigMap for its size. The schema has no such rule: on one machine the ConfigMap is
 * taken, so that the PromptPack that reads it can report TooLarge.
 */
export function isOversized({ data = {}, binaryData = {} }: ConfigMap): boolean {
  return byteLength(data) + byteLength(binaryData) * 0.75 > MAX_DATA_BYTES;
}

export const secretSchema = z
  .strictObject({
    apiVersion: z.literal(CORE_API_VERSION),
    kind: z.literal("Secret"),
    metadata: metadataSchema(dnsSubdomain()),
    data: dataMap(base64()).optional(),
    stringData: dataMap(plainText()).optional(),
    type: z.string().optional(),
    immutable: z.boolean().optional(),
  })
  .superRefine(({ data = {}, stringData = {} }, context) => {
    if (byteLength(data) * 0.75 + byteLength(stringData) > MAX_DATA_BYTES) {
      context.addIssue({ code: "custom", message: "holds more than 1 MiB; split it" });
    }
  });

function byteLength(data: Record<string, string>): number {
  return Object.values(data).reduce((sum, value) => sum + Buffer.byteLength(value), 0);
}

const portNumber = () => z.int().min(1).max(65_535);

export const serviceSchema = z.looseObject({
  apiVersion: z.literal(CORE_API_VERSION),
  kind: z.literal("Service"),
  metadata: metadataSchema(serviceName()),
  spec: z
    .looseObject({
      type: z.string().optional(),
      clusterIP: z.string().optional(),
      externalName: z.string().optional(),
      selector: z.record(z.string(), z.string()).optional(),
      ports: z
        .array(
          z.looseObject({
            name: z.string().optional(),
            port: portNumber(),
            protocol: z.string().optional(),
            targetPort: z
              .union(
                [portNumber(), z.string()],
                "must be a port number (1 to 65535) or a port's name",
              )
              .optional(),
            appProtocol: z.string().optional(),
          }),
        )
        .optional(),
    })
    .default({}),
});

export type ConfigMap = z.output<typeof configMapSchema>;
export type Secret = z.output<typeof secretSchema>;
export type Service = z.output<typeof serviceSchema>;

/** The value of one key as bytes, or `undefined` when the key is missing. As in Kubernetes, stringData wins over data. */
export function secretValue(secret: Secret, key: string): Buffer | undefined {
  const { data = {}, stringData = {} } = secret;
  if (Object.hasOwn(stringData, key)) return Buffer.from(stringData[key] ?? "");
  if (Object.hasOwn(data, key)) return Buffer.from(data[key] ?? "", "base64");
  return undefined;
}

export function secretKeys({ data = {}, stringData = {} }: Secret): string[] {
  return [...new Set([...Object.keys(data), ...Object.keys(stringData)])].toSorted();
}
