import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PersonalDataJudge } from "./personal-data.ts";
import { PERSONAL_DATA, type PersonalData } from "./validator-config.ts";

function said(pieces: readonly string[], kinds: readonly PersonalData[] = PERSONAL_DATA) {
  const judge = new PersonalDataJudge(kinds);
  const text = pieces.join("");
  let free = 0;
  for (const piece of pieces) {
    const next = judge.add(piece);
    if (next === undefined) return { said: text.slice(0, free), isRefused: true };
    free = next;
  }
  return judge.end()
    ? { said: text, isRefused: false }
    : { said: text.slice(0, free), isRefused: true };
}

const DATA: readonly [PersonalData, string][] = [
  ["email", "jane.doe+shop@mail.example.com"],
  ["email", "müller@exämple.de"],
  ["phone", "+49 30 901820"],
  ["phone", "+1 (555) 010-9999"],
  ["phone", "(555) 010-9999"],
  ["phone", "030-901-8200"],
  ["credit_card", "4111 1111 1111 1111"],
  ["credit_card", "4111-1111-1111-1111"],
  ["credit_card", "378282246310005"],
  ["iban", "DE89 3704 0044 0532 0130 00"],
  ["iban", "GB29NWBK60161331926819"],
  ["iban", "GB29 NWBK 6016 1331 9268 19"],
  ["iban", "gb29 nwbk 6016 1331 9268 19"],
];

describe("personal data", () => {
  it.each(DATA)(
    "as %s %j are found wherever the text is cut, and nothing of them is said",
    (kind, datum) => {
      const before = "You can use ";
      const text = `${before}${datum} for this`;
      for (let cut = 0; cut <= text.length; cut += 1) {
        const result = said([text.slice(0, cut), text.slice(cut)], [kind]);
        expect(result.isRefused).toBe(true);
        expect(before.startsWith(result.said)).toBe(true);
      }
      expect(said(Array.from(text), [kind])).toMatchObject({ isRefused: true });
      expect(said([datum], [kind])).toEqual({ said: "", isRefused: true });
      expect(said([`(${datum}).`], [kind]).isRefused).toBe(true);
    },
  );

  it.each([
    "Order 1234567890123 of 2026-11-29 at 14:15 costs 1,299.00 EUR.",
    "The server 192.168.10.20 answers on port 8080.",
    "Call 112, or press 1 and then 2 and 3 and 4 and 5.",
    "Version 1.20.300, build 4111111111111112.",
    "At 10 @home we say x@y and mean nothing.",
    "DE89 3704 0044 0532 0130 01 has a wrong check digit.",
    "In20 people were here and 34 others were not.",
    "0000 0000 0000 0000 is no card.",
  ])("are not found in %j", (text) => {
    expect(said(Array.from(text))).toEqual({ said: text, isRefused: false });
  });

  it("are looked for only as far as they are named", () => {
    expect(said(["mail me@example.com"], ["phone"]).isRefused).toBe(false);
  });

  it("hold back little of a text without blanks", () => {
    const judge = new PersonalDataJudge(PERSONAL_DATA);
    const free = judge.add("x".repeat(100_000));
    expect(free).toBeGreaterThan(99_000);
  });

  it("are found, or not, just as in a text that comes whole", () => {
    const parts = fc.constantFrom(
      "4111",
      " ",
      "1111",
      "a@b.de",
      "+49 30",
      "901820",
      "word",
      "DE89",
      "\n",
    );
    fc.assert(
      fc.property(fc.array(parts), (pieces) => {
        expect(said(pieces).isRefused).toBe(said([pieces.join("")]).isRefused);
      }),
    );
  });
});
