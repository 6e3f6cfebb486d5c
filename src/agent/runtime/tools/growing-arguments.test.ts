import { describe, expect, it } from "vitest";
import { lastStateOf } from "./growing-arguments.ts";

const WHOLE = '{"city":"Oslo","at":{"hour":1}}';

describe("lastStateOf", () => {
  it("finds the object behind an empty one", () => {
    expect(lastStateOf(`{}${WHOLE}`)).toBe(WHOLE);
    expect(lastStateOf(`{ }\n${WHOLE}\n`)).toBe(WHOLE);
  });

  it("finds the object that came once more as a whole", () => {
    expect(lastStateOf(WHOLE + WHOLE)).toBe(WHOLE);
    expect(lastStateOf("{}{}")).toBe("{}");
  });

  it("finds the object of which each piece repeats all before it", () => {
    const states = ['{"ci', '{"city":"Os', '{"city":"Oslo","at":{', WHOLE];
    expect(lastStateOf(states.join(""))).toBe(WHOLE);
    expect(lastStateOf(`{}${states.join("")}`)).toBe(WHOLE);
  });

  it("does not choose between objects that differ", () => {
    expect(lastStateOf('{"city":"Oslo"}{"city":"Bergen"}')).toBeUndefined();
    expect(lastStateOf(`Here: ${WHOLE}`)).toBeUndefined();
  });

  it("makes no whole object of half a one", () => {
    expect(lastStateOf('{"city":"Os')).toBeUndefined();
    expect(lastStateOf('{"city":{}')).toBeUndefined();
    expect(lastStateOf('{}{"city":"Os')).toBeUndefined();
  });
});
