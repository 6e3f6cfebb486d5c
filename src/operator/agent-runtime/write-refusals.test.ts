import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { ApiError, ConnectionError } from "../../kube/client/api-error.ts";
import { NotOursError } from "../../kube/apply-owned.ts";
import { DEPLOYMENTS, SERVICES } from "../cluster/kubernetes-objects.ts";
import { WriteRefusals } from "./write-refusals.ts";

const WANTED = { metadata: { name: "support", namespace: "team" } };
const answer = (status: number, reason = "", message = "no"): ApiError =>
  new ApiError({ status, reason, message });
const theirs = new NotOursError("it is theirs");
const leftover = new NotOursError("it was another's", { isLeftover: true });

function aRig() {
  const clock = new ManualClock();
  return { clock, refusals: new WriteRefusals(clock) };
}

describe("WriteRefusals", () => {
  it("what was refused is asked for again later and later, and sooner only when it is another", async () => {
    const { clock, refusals } = aRig();
    const delays: number[] = [];
    for (let tries = 0; tries < 5; tries++) {
      const { retryInMs, problem } = refusals.add(
        DEPLOYMENTS,
        WANTED,
        answer(422, "Invalid", "bad"),
      );
      expect(problem).toBe('the API server refuses Deployment "support": bad');
      delays.push(retryInMs);
      await clock.advance(retryInMs - 1);
      expect(refusals.unexpired(DEPLOYMENTS, WANTED)).toMatchObject({ problem, retryInMs: 1 });
      expect(refusals.unexpired(DEPLOYMENTS, { ...WANTED, kind: "Other" })).toBeUndefined();
      expect(refusals.unexpired(SERVICES, WANTED)).toBeUndefined();
      await clock.advance(1);
      expect(refusals.unexpired(DEPLOYMENTS, WANTED)).toBeUndefined();
    }
    expect(delays).toEqual([10_000, 20_000, 40_000, 60_000, 60_000]);
    refusals.clear(DEPLOYMENTS);
    expect(refusals.add(DEPLOYMENTS, WANTED, answer(422)).retryInMs).toBe(10_000);
  });

  it("a name that others have is looked at before it is asked for, at every occasion", () => {
    const { refusals } = aRig();
    expect(refusals.wasTaken(SERVICES)).toBe(false);
    const { problem, retryInMs } = refusals.add(SERVICES, WANTED, theirs);
    expect(problem).toContain("belongs to somebody else");
    expect(retryInMs).toBe(4_000);
    expect(refusals.unexpired(SERVICES, WANTED)).toBeUndefined();
    expect(refusals.wasTaken(SERVICES)).toBe(true);
  });

  it.each([
    ["what is left of an agent that was deleted", leftover],
    ["a change at the same moment", answer(409, "Conflict")],
    ["an object that has just gone", answer(404, "NotFound")],
  ])("%s is no problem, unless it stays", (_, error) => {
    const { refusals } = aRig();
    for (let tries = 0; tries < 20; tries++) {
      expect(refusals.add(SERVICES, WANTED, error)).toMatchObject({
        problem: undefined,
        retryInMs: 500,
      });
    }
    expect(refusals.add(SERVICES, WANTED, error).problem).toContain('Service "support"');
  });

  it("a namespace that is being deleted is no problem either, and is left in peace", () => {
    const { refusals } = aRig();
    const error = answer(403, "Forbidden", "... because it is being terminated");
    expect(refusals.add(SERVICES, WANTED, error).problem).toBeUndefined();
    expect(refusals.unexpired(SERVICES, WANTED)).toMatchObject({ retryInMs: 60_000 });
  });

  it("a kind that is being removed is no problem, unless it stays", async () => {
    const { clock, refusals } = aRig();
    const words = "create not allowed while custom resource definition is terminating";
    const error = answer(403, "Forbidden", words);
    for (let tries = 0; tries < 20; tries++) {
      const { problem, retryInMs } = refusals.add(SERVICES, WANTED, error);
      expect(problem).toBeUndefined();
      expect(retryInMs).toBe(4_000);
      await clock.advance(retryInMs);
    }
    expect(refusals.add(SERVICES, WANTED, error).problem).toContain(words);
  });

  it.each([answer(500), answer(429), new ConnectionError("cut"), new Error("a mistake of ours")])(
    "%s says nothing of the object",
    (error) => {
      const { refusals } = aRig();
      expect(() => refusals.add(SERVICES, WANTED, error)).toThrow(error);
      expect(refusals.unexpired(SERVICES, WANTED)).toBeUndefined();
    },
  );
});
