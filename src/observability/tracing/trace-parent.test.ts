import { describe, expect, it } from "vitest";
import { readTraceParent, traceParentText } from "./trace-parent.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

describe("the place in a trace", () => {
  it("is read as it was written", () => {
    const text = `00-${TRACE}-${SPAN}-01`;
    const place = readTraceParent(text, "a=1,b=2");
    expect(place).toEqual({ traceId: TRACE, spanId: SPAN, isSampled: true, traceState: "a=1,b=2" });
    expect(place && traceParentText(place)).toBe(text);
  });

  it("may come from a later version, which may say more", () => {
    expect(readTraceParent(`cc-${TRACE}-${SPAN}-09-more`)).toMatchObject({ isSampled: true });
    expect(readTraceParent(`cc-${TRACE}-${SPAN}-08`)).toMatchObject({ isSampled: false });
  });

  it.for([
    undefined,
    7,
    {},
    "",
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-01-more`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01\r\nx-injected: 1`,
    `cc-${TRACE}-${SPAN}-01-${"x".repeat(200)}`,
  ])("is not read from %j", (text) => {
    expect(readTraceParent(text)).toBeUndefined();
  });

  it.for([undefined, "", "a=\r\nb", "ä=1", "x".repeat(513), ["a=1"]])(
    "is read without the state %j",
    (state) => {
      expect(readTraceParent(`00-${TRACE}-${SPAN}-01`, state)).toMatchObject({
        traceState: undefined,
      });
    },
  );
});
