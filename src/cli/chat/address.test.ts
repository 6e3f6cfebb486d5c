import { describe, expect, it } from "vitest";
import { chatAddress, shownAddress } from "./address.ts";

const demo = { agent: "demo" };

describe("chatAddress", () => {
  it("adds agent and namespace to the query", () => {
    expect(chatAddress("ws://localhost:8080", { agent: "demo", namespace: "agents" }).href).toBe(
      "ws://localhost:8080/?agent=demo&namespace=agents",
    );
  });

  it("leaves the namespace to the server when none is given", () => {
    expect(chatAddress("ws://localhost:8080/ws", demo).href).toBe(
      "ws://localhost:8080/ws?agent=demo",
    );
  });

  it("keeps what the address says already", () => {
    expect(
      chatAddress("wss://a.example/ws?agent=other&x=1", { agent: "demo", namespace: "n" }).href,
    ).toBe("wss://a.example/ws?agent=other&x=1&namespace=n");
  });

  it("takes http for ws and https for wss", () => {
    expect(chatAddress("http://a.example", demo).protocol).toBe("ws:");
    expect(chatAddress("https://a.example", demo).protocol).toBe("wss:");
  });

  it.for(["localhost:8080", "ftp://a.example", "nonsense", ""])(
    "refuses %j as a usage error",
    (url) => {
      expect(() => chatAddress(url, demo)).toThrow(
        expect.objectContaining({ exitCode: 2 }) as Error,
      );
    },
  );

  it("shows an address without user and password", () => {
    expect(shownAddress(new URL("ws://user:secret@a.example/"))).toBe("ws://a.example/");
  });
});
