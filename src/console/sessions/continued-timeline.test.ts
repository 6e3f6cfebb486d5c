import { describe, expect, it } from "vitest";
import { aTimeline, iso } from "../../../test/support/builders/a-timeline.ts";
import type { SessionMessage, SessionTimeline } from "../../http-api/session-views.ts";
import { continued, mayChangeFrom } from "./continued-timeline.ts";

const ended = (turnId: string) => ({ turnId, startedAt: iso(0), endedAt: iso(1) });
const running = (turnId: string) => ({ turnId, startedAt: iso(0) });
const said = (turnId: string, content = turnId): SessionMessage => ({
  role: "user",
  turnId,
  content,
});

describe("a timeline that is read again", () => {
  it("is asked for from the first turn that runs on, or from the last one", () => {
    expect(mayChangeFrom(aTimeline([]))).toBeUndefined();
    expect(mayChangeFrom(aTimeline([ended("a"), ended("b")]))).toBe("b");
    expect(mayChangeFrom(aTimeline([ended("a"), running("b"), ended("c")]))).toBe("b");
  });

  it("keeps what was before, and has what is newer once", () => {
    const known = aTimeline([ended("a"), running("b")], [said("a"), said("b")]);
    const newer = aTimeline([ended("b"), running("c")], [said("b"), said("b", "more"), said("c")]);
    expect(continued(known, newer)).toEqual({
      ...newer,
      turns: [known.turns[0], ...newer.turns],
      messages: [said("a"), ...newer.messages],
    });
  });

  it("has all that came where all of it came again", () => {
    const known = aTimeline([ended("a"), running("b")], [said("a"), said("b")]);
    const whole = aTimeline([ended("a"), ended("b")], [said("a"), said("b"), said("b", "more")]);
    expect(continued(known, whole)).toEqual(whole);
  });

  it("begins with the turn that another one goes on with, whose messages have its id", () => {
    const known = aTimeline([ended("a"), ended("b")], [said("a"), said("b")]);
    const newer = aTimeline([ended("b"), running("c")], [said("b"), said("b", "approved")]);
    expect(turnIds(continued(known, newer))).toEqual(["a", "b", "c"]);
    expect(continued(known, newer).messages).toHaveLength(3);
  });

  it("keeps messages of turns that the session no longer counts", () => {
    const known = aTimeline([running("b")], [said("a"), said("b")]);
    const newer = aTimeline([ended("b")], [said("b")]);
    expect(continued(known, newer).messages).toEqual([said("a"), said("b")]);
  });

  it("is the new one alone where it has nothing of the old one, or is another session", () => {
    const known = aTimeline([ended("a")], [said("a")]);
    const later = aTimeline([ended("z")], [said("z")]);
    expect(continued(known, later)).toEqual(later);
    const anew = aTimeline([ended("a")], [said("a", "other words")]);
    const other = { ...anew, session: { ...anew.session, createdAt: iso(100) } };
    const longer = aTimeline([ended("x"), ended("a")], [said("x"), said("a")]);
    expect(continued(longer, other)).toEqual(other);
  });

  it("has no more turns than a session has", () => {
    const ids = Array.from({ length: 1_000 }, (_, index) => `t${index}`);
    const known = aTimeline(ids.map(ended));
    const newer = aTimeline([ended("t999"), ended("t1000")]);
    expect(continued(known, newer).turns).toHaveLength(1_000);
    expect(turnIds(continued(known, newer)).at(-1)).toBe("t1000");
  });
});

function turnIds({ turns }: SessionTimeline): string[] {
  return turns.map(({ turnId }) => turnId);
}
