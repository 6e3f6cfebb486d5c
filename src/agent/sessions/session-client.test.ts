import { describe, expect, it } from "vitest";
import { NOBODY, sessionClientOf, type ClientIdentity } from "./session-client.ts";

const agent = { namespace: "team", name: "helper" };

function clientOf(parts: Partial<ClientIdentity> = {}) {
  return sessionClientOf({ agent, subject: undefined, address: "192.0.2.1", ...parts });
}

describe("sessionClientOf", () => {
  it("gives a client the same sessions wherever it comes from", () => {
    const { owner } = clientOf({ subject: "jwt:alice" });
    expect(clientOf({ subject: "jwt:alice", address: "192.0.2.2" }).owner).toBe(owner);
    expect(clientOf().owner).toBe(clientOf({ address: "192.0.2.2" }).owner);
  });

  it("tells all clients apart that are not one", () => {
    const clients = [
      clientOf(),
      clientOf({ subject: "" }),
      clientOf({ subject: "anyone" }),
      clientOf({ subject: "jwt:alice" }),
      clientOf({ subject: "api-key:alice" }),
      clientOf({ subject: 'jwt:alice"' }),
      clientOf({ agent: { ...agent, name: "other" } }),
      clientOf({ agent: { ...agent, namespace: "other" } }),
      // The same letters, with the borders elsewhere.
      clientOf({ agent: { namespace: "teamh", name: "elper" } }),
      clientOf({ agent: { namespace: 'team","helper', name: "" } }),
      clientOf({ agent: { ...agent, name: "other" }, subject: "jwt:alice" }),
    ];
    expect(new Set(clients.map(({ owner }) => owner)).size).toBe(clients.length);
    expect(clients.map(({ owner }) => owner)).not.toContain(NOBODY);
  });

  it("is short, and says nothing of a person, however long the subject is", () => {
    const { owner, holder } = clientOf({ subject: `alice@example.com${"x".repeat(16_000)}` });
    expect(owner).toMatch(/^[\w-]{43}$/);
    expect(holder).toBe(owner);
  });

  it.each([
    ["192.0.2.1", "192.0.2.1", true],
    ["192.0.2.1", "192.0.2.2", false],
    ["::ffff:192.0.2.1", "192.0.2.1", true],
    ["2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true],
    ["2001:db8:1:2::1", "2001:0DB8:0001:0002::", true],
    ["2001:db8:1:2::1", "2001:db8:1:3::1", false],
    ["::1", "0:0:0:0::2", true],
    ["::1", "2001:db8::1", false],
    ["fe80::1%eth0", "fe80::2", true],
    ["2001:db8:1:2::1", "192.0.2.1", false],
  ])("holds %s and %s to be one client without a name: %s", (first, second, isOne) => {
    const holders = [first, second].map((address) => clientOf({ address }).holder);
    expect(holders[0] === holders[1]).toBe(isOne);
  });
});
