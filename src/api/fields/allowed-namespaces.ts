import { z } from "zod";
import { labelSelectorSchema } from "./label-selector.ts";
import { withRules } from "./rule.ts";

/** The namespaces from which an object may be referred to. Its own namespace always may. */
export const allowedNamespacesSchema = withRules(
  z.strictObject({
    from: z
      .enum(["All", "Same", "Selector"])
      .describe("Every namespace, only the object's own, or those that selector matches"),
    selector: labelSelectorSchema.optional().describe("Namespaces, by label; for from: Selector"),
  }),
  [
    {
      cel: "self.from != 'Selector' || has(self.selector)",
      holds: ({ from, selector }) => from !== "Selector" || selector !== undefined,
      path: ["selector"],
      message: 'required when from is "Selector"',
      reason: "FieldValueRequired",
    },
    {
      cel: "self.from == 'Selector' || !has(self.selector)",
      holds: ({ from, selector }) => from === "Selector" || selector === undefined,
      path: ["selector"],
      message: 'goes with from: Selector; remove it, or set from to "Selector"',
      reason: "FieldValueForbidden",
    },
  ],
);

export type AllowedNamespaces = z.output<typeof allowedNamespacesSchema>;
export type LabelSelector = z.output<typeof labelSelectorSchema>;
