import { describe, expect, it } from "vitest";
import { readAgentAddress } from "./agent-address.ts";

const bot = { name: "bot", namespace: "team" };

describe("the agent of a handshake", () => {
  it.each([
    ["/ws?agent=bot&namespace=team", "/ws?agent=bot&namespace=team"],
    ["/?agent=bot&namespace=team&session_id=s%201", "/?agent=bot&namespace=team&session_id=s%201"],
    ["/agents/team/bot/ws", "/ws?agent=bot&namespace=team"],
    ["/agents/team/bot/", "/?agent=bot&namespace=team"],
    ["/agents/team/bot/ws?session_id=s%201", "/ws?agent=bot&namespace=team&session_id=s%201"],
    ["/agents/team/bot/ws?agent=bot", "/ws?namespace=team&agent=bot"],
    ["/agents/team/bot/ws?agent=&namespace=", "/ws?agent=bot&namespace=team&agent=&namespace="],
    ["/agents/team/bot/ws?namespace=team&agent=bot", "/ws?namespace=team&agent=bot"],
    ["http://localhost/agents/team/bot/ws", "/ws?agent=bot&namespace=team"],
  ])("is read from %s", (target, forwarded) => {
    expect(readAgentAddress(target)).toEqual({ agent: bot, target: forwarded });
  });

  it("is in the namespace default unless another one is named", () => {
    expect(readAgentAddress("/ws?agent=bot")).toMatchObject({
      agent: { name: "bot", namespace: "default" },
    });
    expect(readAgentAddress("/ws?agent=bot&namespace=")).toMatchObject({
      agent: { namespace: "default" },
    });
  });

  it("has no name where none is given", () => {
    for (const target of ["/", "/ws", "/ws?agent=", "/ws?namespace=team"]) {
      expect(readAgentAddress(target)).toMatchObject({ agent: { name: "" } });
    }
  });

  it.each([
    ["/agents/team/bot/ws?agent=other", "the path and the query name different agents"],
    ["/agents/team/bot/ws?namespace=other", "the path and the query name different namespaces"],
    ["/agents/team/bot/ws?agent=bot&agent=other", "the path and the query name different agents"],
    ["/agents/team/bot/ws?%61gent=other", "the path and the query name different agents"],
    ["/ws?agent=bot&agent=other", "the query names more than one agent"],
    ["/?agent=bot&namespace=team&namespace=other", "the query names more than one namespace"],
  ])("is not guessed from %s", (target, message) => {
    expect(readAgentAddress(target)).toEqual({ code: "BadRequest", message });
  });

  it.each([
    "/agents/team/bot",
    "/agents/team/bot/ws/",
    "/agents/team/bot/ws/../../other/ws",
    "/agents/team/../other/ws",
    "/agents/./bot/ws",
    "/agents/../bot/ws",
    "/agents//bot/ws",
    "/agents/team//ws",
    "/agents/team%2Fbot/ws",
    "/agents/team/bot%2Fws",
    "/agents/team/b%6ft/ws",
    "/agents/team/bot\\ws",
    "/agents/team/bot;x=1/ws",
    "/agents/team/bot/ws#",
    "/agents/Team/bot/ws",
    "//agents/team/bot/ws",
    "/agents/team/bot/ws/agents/other/bot/ws",
    "/x/agents/team/bot/ws",
    "agents/team/bot/ws",
    "*",
    "",
  ])("is not looked for at %s", (target) => {
    expect(readAgentAddress(target)).toMatchObject({ code: "NotFound" });
  });
});
