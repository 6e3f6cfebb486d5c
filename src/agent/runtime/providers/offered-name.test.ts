import { describe, expect, it } from "vitest";
import { offeredName } from "./offered-name.ts";

const offered = new Set(["weather", "look-up"]);

describe("the name of a tool as servers write it", () => {
  it.each([
    ["weather", "weather"],
    ["weather<|channel|>commentary", "weather"],
    ["look-up<|constrain|>json", "look-up"],
    ["weather<｜tool▁sep｜>", "weather"],
    ["weather\n</tool_call>", "weather"],
    ['"weather"', "weather"],
  ])("%j means %j", (name, tool) => {
    expect(offeredName(name, offered)).toBe(tool);
  });

  it.each(["weathers", "shop.weather", "functions.weather", "Weather", "<|channel|>weather", ""])(
    "%j means no tool, and stays",
    (name) => {
      expect(offeredName(name, offered)).toBe(name);
    },
  );
});
