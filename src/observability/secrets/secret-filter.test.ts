import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SecretFilter } from "./secret-filter.ts";
import { MAX_SECRETS, SecretValues } from "./secret-values.ts";

const SECRET = `p4ss"w/rd+=ünter\\€😀%&`;

/** What programs make of a secret that they print. */
const SPELLINGS: readonly [string, (secret: string) => string][] = [
  ["plain", (secret) => secret],
  ["JSON", (secret) => JSON.stringify({ secret })],
  ["JSON in JSON", (secret) => JSON.stringify({ body: JSON.stringify({ secret }) })],
  ["JSON of ASCII alone", (secret) => ascii(JSON.stringify({ secret }))],
  ["JSON with escaped slashes", (secret) => JSON.stringify({ secret }).replaceAll("/", "\\/")],
  [
    "JSON as Go writes it",
    (secret) => JSON.stringify({ secret }).replace(/[<>&]/g, (one) => ascii(one, true)),
  ],
  ["percent", (secret) => `?token=${encodeURIComponent(secret)}&x=1`],
  [
    "percent in small letters",
    (secret) => encodeURIComponent(secret).replace(/%../g, (byte) => byte.toLowerCase()),
  ],
  ["percent twice", (secret) => encodeURIComponent(encodeURIComponent(secret))],
  ["a form", (secret) => new URLSearchParams({ secret }).toString()],
  ...["", "a", "ab", "user:"].map((before): [string, (secret: string) => string] => [
    `base64 behind ${JSON.stringify(before)}`,
    (secret) => Buffer.from(`${before}${secret} and more`).toString("base64"),
  ]),
  ["base64url", (secret) => Buffer.from(`x${secret}`).toString("base64url")],
  [
    "base64 in lines",
    (secret) => Buffer.from(`one${secret}`).toString("base64").replace(/.{10}/g, "$&\n"),
  ],
  [
    "base64 with percent",
    (secret) => encodeURIComponent(Buffer.from(`${secret}>>>`).toString("base64")),
  ],
];

function ascii(text: string, all = false): string {
  const range = all ? /[^]/g : /[^\0-~]/g;
  return text.replace(range, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** All that the spellings can be read as, so that a piece of the secret is found in whatever spelling it is left. */
function readings(text: string): string {
  const unquoted = text.replaceAll(/\\+u([\da-f]{4})/gi, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  const percent = text
    .replaceAll("%25", "%")
    .replaceAll(/(?:%[\da-f]{2})+/gi, (bytes) =>
      Buffer.from(bytes.replaceAll("%", ""), "hex").toString(),
    );
  const base64 = [percent, text].flatMap((one) =>
    (one.replaceAll(/[\r\n]/g, "").match(/[\w+/=-]{8,}/g) ?? []).flatMap((run) =>
      [0, 1, 2, 3].map((start) => Buffer.from(run.slice(start), "base64").toString()),
    ),
  );
  return [text, unquoted, unquoted.replaceAll("\\", ""), percent, ...base64].join("\n");
}

function piecesOf(secret: string, length: number): string[] {
  const characters = Array.from(secret);
  return characters
    .slice(0, characters.length - length + 1)
    .map((_, start) => characters.slice(start, start + length).join(""));
}

/** Whether no piece of the secret of four characters is left. */
function expectHidden(text: string, secret: string): void {
  const left = piecesOf(secret, 4).filter((piece) => readings(text).includes(piece));
  expect({ text, left }).toEqual({ text, left: [] });
}

function filtered(values: SecretValues, pieces: readonly string[], end: "end" | "cut"): string {
  const filter = new SecretFilter(values);
  const text = pieces.map((piece) => filter.add(piece)).join("");
  if (end === "end") return text + filter.end();
  filter.cut();
  return text;
}

describe("the values of secrets", () => {
  const values = new SecretValues([SECRET]);

  it.each(SPELLINGS)("are found as %s", (_name, spell) => {
    const text = `before ${spell(SECRET)} behind`;
    const clean = values.hide(text);
    expectHidden(clean, SECRET);
    expect(clean).toMatch(/^before .*\[redacted\].* behind$/s);
  });

  it.each(SPELLINGS)("are found as %s, wherever a stream is cut in pieces", (_name, spell) => {
    const text = `before ${spell(SECRET)} behind`;
    const whole = values.hide(text);
    for (let at = 0; at <= text.length; at += 1) {
      expect(filtered(values, [text.slice(0, at), text.slice(at)], "end")).toBe(whole);
    }
    expect(filtered(values, Array.from(text), "end")).toBe(whole);
  });

  it.each(SPELLINGS)("leave nothing as %s, wherever a text is cut off", (_name, spell) => {
    const text = `before ${spell(SECRET)} behind`;
    for (let at = 0; at <= text.length; at += 1) {
      const clean = filtered(values, [text.slice(0, at)], "cut");
      expectHidden(clean, SECRET);
      expect(text.startsWith(clean.split("[redacted]")[0] ?? "")).toBe(true);
    }
  });

  it("are found whatever the secret is and wherever it stands", () => {
    const secret = fc.string({ minLength: 8, maxLength: 60, unit: "grapheme" });
    const around = fc.string({ maxLength: 40 });
    const spelling = fc.constantFrom(...SPELLINGS.map(([, spell]) => spell));
    fc.assert(
      fc.property(secret, around, around, spelling, fc.nat(), (one, before, behind, spell, cut) => {
        const value = one.trim();
        // Of a letter that repeats every piece is also a piece of what is around.
        fc.pre(value.length >= 8 && new Set(value).size > 5 && value.isWellFormed());
        const text = before + spell(value) + behind;
        const at = cut % (text.length + 1);
        const known = new SecretValues([value]);
        const clean = filtered(known, [text.slice(0, at), text.slice(at)], "end");
        expect(clean.includes(spell(value))).toBe(false);
        expect(clean).toContain("[redacted]");
      }),
      { numRuns: 500 },
    );
  });

  it("leave a text alone that holds none", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 50 })), (pieces) => {
        expect(filtered(values, pieces, "end")).toBe(pieces.join(""));
      }),
    );
  });

  it("leave words alone, and the beginning of a secret at the end of a text that is whole", () => {
    const known = new SecretValues(["test", "correct-horse-battery"]);
    expect(known.hide("a test of the correct")).toBe("a test of the correct");
    expect(known.hide("correct-horse-batter")).toBe("[redacted]");
  });

  it("are the longest where one is the beginning of another", () => {
    const known = new SecretValues(["secret-one", "secret-one-and-two"]);
    expect(known.hide("secret-one-and-two, secret-one")).toBe("[redacted], [redacted]");
    expect(filtered(known, ["secret-one", "-and-two"], "end")).toBe("[redacted]");
  });

  it("are also the password of a URL, and the lines of a key", () => {
    const known = new SecretValues([
      "redis://me:hunter2%2Bhunter2@store:6379/0",
      "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n",
    ]);
    expect(known.hide("WRONGPASS hunter2+hunter2")).toBe("WRONGPASS [redacted]");
    expect(known.hide("-----BEGIN PRIVATE KEY----- MIIEvQIBADANBgkq")).toBe(
      "-----BEGIN PRIVATE KEY----- [redacted]",
    );
  });

  it("are bounded in number: the newest are known", () => {
    const known = new SecretValues();
    for (let index = 0; index <= MAX_SECRETS; index += 1) known.add(`secret-number-${index}-end`);
    expect(known.hide(`secret-number-${MAX_SECRETS}-end`)).toBe("[redacted]");
    expect(known.hide("secret-number-0-end")).toBe("secret-number-0-end");
  });

  it("hold back no more than a secret may be long, also of a hostile text", () => {
    const filter = new SecretFilter(values);
    for (const text of ["\\", "%", SECRET.slice(0, 6), "p", "%25"]) {
      const piece = text.repeat(20_000 / text.length);
      expect(filter.add(piece).length).toBeGreaterThan(piece.length - 1_000);
    }
  });
});
