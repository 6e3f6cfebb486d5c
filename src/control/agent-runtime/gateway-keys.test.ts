import { describe, expect, it } from "vitest";
import { decided, theReferences } from "../../../test/support/builders/a-decision.ts";

describe("the keys of gateways in the config of an agent", () => {
  it("are none where there is no gateway", () => {
    expect(decided().config).not.toHaveProperty("gateway");
    expect(decided({ gatewayKeys: [] }).config).not.toHaveProperty("gateway");
  });

  it("are those that are given, and roll no replica when they change", () => {
    const before = decided({ gatewayKeys: ["one"] });
    expect(before.config?.gateway).toEqual({ publicKeys: ["one"] });
    const after = decided({ gatewayKeys: ["one", "two"] });
    expect(after.config?.gateway).toEqual({ publicKeys: ["one", "two"] });
    expect(after.workload).toEqual(before.workload);
    expect(decided().workload).toEqual(before.workload);
  });

  it("are those of now, also while a reference is broken and the config of before is kept", () => {
    const previous = { config: decided({ gatewayKeys: ["one"] }).config };
    const broken = {
      previous,
      references: theReferences({ promptPack: { found: false }, providerSecret: { found: false } }),
    };
    const { config } = decided({ ...broken, gatewayKeys: ["two"] });
    expect(config?.gateway).toEqual({ publicKeys: ["two"] });
    expect(decided(broken).config).not.toHaveProperty("gateway");
  });

  it("leave the text of a config that is kept as it is when they stay the same", () => {
    const config = decided({ gatewayKeys: ["one"] }).config;
    const again = decided({ previous: { config }, gatewayKeys: ["one"] }).config;
    expect(JSON.stringify(again)).toBe(JSON.stringify(config));
  });
});
