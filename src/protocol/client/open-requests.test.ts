import { describe, expect, it } from "vitest";
import type { ApprovalRequestFrame, TurnFrame } from "../frames.ts";
import { OpenRequests } from "./open-requests.ts";

const timestamp = "2026-01-01T00:00:00Z";

function request(id: string, turn_id = "t1"): ApprovalRequestFrame {
  const approval = { id, name: "pay", arguments: {}, expires_at: timestamp };
  return { type: "approval_request", session_id: "s", timestamp, turn_id, seq: 2, approval };
}

function chunk(turn_id: string): TurnFrame {
  return { type: "chunk", session_id: "s", timestamp, turn_id, seq: 3, content: "a" };
}

const idsOf = (requests: OpenRequests) => requests.open.map(({ id }) => id);

describe("the open requests of a session", () => {
  it("are those that were heard and not answered", () => {
    const requests = new OpenRequests();
    for (const id of ["c1", "c2"]) requests.heard(request(id));
    requests.heard({ ...chunk("t1") });
    requests.answered("c1");
    expect(idsOf(requests)).toEqual(["c2"]);
  });

  it("are none once another turn begins", () => {
    const requests = new OpenRequests();
    requests.heard(request("c1"));
    requests.heard(chunk("t2"));
    expect(idsOf(requests)).toEqual([]);
    requests.heard(request("c2", "t2"));
    expect(idsOf(requests)).toEqual(["c2"]);
  });

  it("are news once, and open again when the server sends them again", () => {
    const requests = new OpenRequests();
    expect(requests.heardAgain(request("c1"))).toBe(true);
    requests.answered("c1");
    expect(requests.heardAgain(request("c1"))).toBe(false);
    expect(idsOf(requests)).toEqual(["c1"]);
    expect(requests.heardAgain(request("c2", "t2"))).toBe(true);
    expect(idsOf(requests)).toEqual(["c2"]);
  });

  it("stay open when an answer was refused for its arguments, and are gone when it came too late", () => {
    const requests = new OpenRequests();
    for (const id of ["c1", "c2"]) {
      requests.heard(request(id));
      requests.answered(id);
    }
    requests.refused("c1", true);
    requests.refused("c2", false);
    requests.refused("c3", true);
    expect(idsOf(requests)).toEqual(["c1"]);
  });

  it("are not those that the server no longer lists, though it sent them before it took the answer", () => {
    const requests = new OpenRequests();
    for (const id of ["c1", "c2"]) requests.heard(request(id));
    requests.answered("c2");
    requests.listedAgain();
    for (const id of ["c1", "c2"]) requests.heardAgain(request(id));
    requests.listedAgain();
    requests.heardAgain(request("c1"));
    requests.listedAgain();
    expect(idsOf(requests)).toEqual(["c1"]);
  });
});
