import { describe, expect, it } from "vitest";
import { decided, packReference, theVersion } from "../../../test/support/builders/a-decision.ts";
import type { RunningVersions } from "./pack-version.ts";
import { countAgents, versionsText, versionsTextOfConfig } from "./versions-text.ts";

const ACTIVE = theVersion();
const CANARY = theVersion({ version: "2.0.0" });
const TRIAL: RunningVersions = { active: ACTIVE, canary: { weight: 20, version: CANARY } };

describe("the text of versions", () => {
  it("names the active version, and the canary with its weight", () => {
    expect(versionsText({})).toBe("");
    expect(versionsText({ active: ACTIVE })).toBe(ACTIVE.hash);
    expect(versionsText(TRIAL)).toBe(`${ACTIVE.hash} ${CANARY.hash}@20`);
  });

  it("is the same for a pack and for the config of an agent that runs its versions", () => {
    const promptPack = packReference({ kept: [ACTIVE], canary: CANARY });
    const providerSecret = {
      found: true,
      keys: ["api-key"],
      source: "secret",
      name: "openai-credentials",
    } as const;
    const { config } = decided({ references: { promptPack, providerSecret } });
    expect(config && versionsTextOfConfig(config)).toBe(versionsText(TRIAL));
  });
});

describe("countAgents", () => {
  it("counts those that run just these versions", () => {
    const running = [versionsText(TRIAL), versionsText({ active: ACTIVE }), undefined, ""];
    expect(countAgents(running, TRIAL)).toEqual({ referencing: 4, notified: 1, refused: 0 });
    expect(countAgents(running, { active: ACTIVE })).toEqual({
      referencing: 4,
      notified: 1,
      refused: 0,
    });
  });

  it("counts nobody as notified while the pack has no version", () => {
    expect(countAgents(["", undefined], {})).toEqual({ referencing: 2, notified: 0, refused: 0 });
  });
});
