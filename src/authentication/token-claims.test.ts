import { describe, expect, it } from "vitest";
import { judgeClaims } from "./token-claims.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");
const seconds = NOW / 1_000;
const config = {
  issuer: "https://login.example",
  audiences: ["omnia", "other"],
  requiredClaims: { tenant: "acme" },
};
const claims = {
  iss: "https://login.example",
  aud: "omnia",
  sub: "alice",
  exp: seconds + 300,
  tenant: "acme",
};

describe("judgeClaims", () => {
  it("names the subject with its issuer, and when the token ends", () => {
    expect(judgeClaims(claims, config, NOW)).toEqual({
      subject: 'jwt:["https://login.example","alice"]',
      endsAt: NOW + 360_000,
    });
  });

  it.each([
    { aud: ["x", "other"] },
    { exp: seconds - 59 },
    { nbf: seconds + 60 },
    { tenant: ["x", "acme"] },
    { groups: { deep: true } },
  ])("takes %j", (change) => {
    expect(judgeClaims({ ...claims, ...change }, config, NOW)).toBeDefined();
  });

  it.each([
    { iss: "https://login.example/" },
    { iss: ["https://login.example"] },
    { aud: "elsewhere" },
    { aud: [] },
    { aud: undefined },
    { sub: "" },
    { sub: undefined },
    { sub: ["alice"] },
    { sub: 7 },
    { exp: undefined },
    { exp: String(seconds + 300) },
    { exp: Number.POSITIVE_INFINITY },
    { exp: Number.NaN },
    { exp: seconds - 60 },
    { nbf: seconds + 61 },
    { nbf: "soon" },
    { tenant: undefined },
    { tenant: "evil" },
    { tenant: { acme: true } },
  ])("refuses %j", (change) => {
    expect(judgeClaims({ ...claims, ...change }, config, NOW)).toBeUndefined();
  });

  it("takes no claim from the prototype of an object", () => {
    const requiredClaims = { constructor: "x", toString: "y" };
    expect(judgeClaims(claims, { ...config, requiredClaims }, NOW)).toBeUndefined();
  });
});
