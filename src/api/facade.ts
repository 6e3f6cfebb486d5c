/** How clients reach an agent. */
import { z } from "zod";
import { HANDLER_NAMES } from "./choices.ts";
import { localObjectReferenceSchema } from "./fields/pod-fields.ts";
import { httpURL, int32, origin, stringMap, stringSet, text } from "./fields/types.ts";
import { MANAGEMENT_PORT } from "./group.ts";
import { withRules } from "./fields/rule.ts";

const MAX_ORIGINS = 64;

/**
 * Addresses at which nobody in between can put keys of their own into the answer: encrypted ones, and those of the machine itself.
 * The agent asks no others.
 */
const SAFE_FOR_KEYS = String.raw`^(https://|http://(localhost|127([.][0-9]{1,3}){3}|\[::1\])(:[0-9]+)?([/?#]|$))`;
const isSafeForKeys = (url: string): boolean => new RegExp(SAFE_FOR_KEYS).test(url);
const KEYS_HINT =
  "must begin with https://, since whoever can change the keys on their way lets in whom they like; http:// is for localhost only";

const authSchema = withRules(
  z.strictObject({
    jwt: withRules(
      z.strictObject({
        issuer: httpURL().describe("Who signs the tokens: their iss claim"),
        jwksUri: withRules(httpURL(), [
          {
            cel: `self.matches(r'${SAFE_FOR_KEYS}')`,
            holds: isSafeForKeys,
            message: KEYS_HINT,
          },
        ])
          .optional()
          .describe("Where the keys are; found from the issuer if unset"),
        audiences: z
          .array(text(256))
          .min(1, "name at least one audience: a token for another service must not open this one")
          .max(16)
          .meta({ "x-kubernetes-list-type": "atomic" })
          .describe("A token is for one of these: its aud claim"),
        requiredClaims: stringMap(16, 1024)
          .default({})
          .describe("Claims that a token must carry, with their values"),
      }),
      [
        {
          cel: `has(self.jwksUri) || self.issuer.matches(r'${SAFE_FOR_KEYS}')`,
          holds: ({ issuer, jwksUri }) => jwksUri !== undefined || isSafeForKeys(issuer),
          path: ["issuer"],
          message: `${KEYS_HINT}; or name the place of the keys in jwksUri`,
        },
      ],
    )
      .optional()
      .describe("Tokens (JWT) are taken"),
    apiKeysSecretRef: localObjectReferenceSchema
      .optional()
      .describe("Keys are taken: every key of this Secret is one client"),
  }),
  [
    {
      cel: "has(self.jwt) || has(self.apiKeysSecretRef)",
      holds: ({ jwt, apiKeysSecretRef }) => jwt !== undefined || apiKeysSecretRef !== undefined,
      message: "needs jwt, apiKeysSecretRef or both; remove auth to let everybody in",
      reason: "FieldValueRequired",
    },
  ],
);

export const facadeSchema = z.strictObject({
  type: z.enum(["websocket"]).default("websocket").describe("The protocol"),
  port: withRules(int32(1, 65_535), [
    {
      cel: `self != ${MANAGEMENT_PORT}`,
      holds: (port) => port !== MANAGEMENT_PORT,
      message: `${MANAGEMENT_PORT} is the management port; choose another`,
    },
  ])
    .default(8080)
    .describe(`The port, any but ${MANAGEMENT_PORT}`),
  handler: z
    .enum(HANDLER_NAMES)
    .default("runtime")
    .describe("What answers: the model, canned answers, or the message itself"),
  allowedOrigins: stringSet(origin(), MAX_ORIGINS)
    .optional()
    .describe("Pages that may connect from a browser, besides those of the agent's own host"),
  auth: authSchema.optional().describe("Who may connect; everybody if unset"),
});
