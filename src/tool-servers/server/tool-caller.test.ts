import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { callerHeaders, MAX_SUBJECT_CHARACTERS } from "./tool-caller.ts";

const NOW = Date.UTC(2026, 0, 1);
const signature = { credential: "s3cret", body: '{"id":7}', now: NOW };

function headersOf(subject: string | undefined, more: Partial<typeof signature> = {}) {
  const told = callerHeaders({ subject, sessionId: "session-1" }, { ...signature, ...more });
  if ("error" in told) throw new Error(told.error);
  return told.headers;
}

interface Example {
  readonly isFromOmnia: (
    headers: Readonly<Record<string, string>>,
    body: string,
    credential: string,
    now: number,
  ) => boolean;
}

/** The example that docs/tools.md gives to the authors of tools. */
async function documentedCheck(): Promise<Example["isFromOmnia"]> {
  const page = await readFile(new URL("../../../docs/tools.md", import.meta.url), "utf8");
  const source = /```js\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
  const url = `data:text/javascript,${encodeURIComponent(source)}`;
  const { isFromOmnia } = (await import(/* @vite-ignore */ url)) as Example;
  return isFromOmnia;
}

describe("the headers that tell of a caller", () => {
  it("are accepted by the check that the documentation shows", async () => {
    const isFromOmnia = await documentedCheck();
    for (const subject of ["alice", undefined, "Ålesund\n%41 x", "alice@example.com"]) {
      const headers = headersOf(subject);
      expect(isFromOmnia(headers, signature.body, "s3cret", NOW + 1_000)).toBe(true);
    }
  });

  it("are refused by it once anything of them, the body or the key is another", async () => {
    const isFromOmnia = await documentedCheck();
    const headers = headersOf("alice");
    expect(isFromOmnia(headers, '{"id":8}', "s3cret", NOW)).toBe(false);
    expect(isFromOmnia(headers, signature.body, "other", NOW)).toBe(false);
    expect(isFromOmnia(headers, signature.body, "s3cret", NOW + 400_000)).toBe(false);
    for (const changed of [
      { "x-omnia-subject": "bob" },
      { "x-omnia-session": "session-2" },
      { "x-omnia-timestamp": String(NOW / 1000 + 1) },
      { "x-omnia-signature": "v1=00" },
    ]) {
      expect(isFromOmnia({ ...headers, ...changed }, signature.body, "s3cret", NOW)).toBe(false);
    }
    const { "x-omnia-subject": _, ...anonymous } = headers;
    expect(isFromOmnia(anonymous, signature.body, "s3cret", NOW)).toBe(false);
  });

  it("have no subject for a caller whom nobody knows", () => {
    expect(Object.keys(headersOf(undefined))).toEqual([
      "x-omnia-session",
      "x-omnia-timestamp",
      "x-omnia-signature",
    ]);
  });

  it.each([
    ["alice@example.com", "alice@example.com"],
    ["auth0|5f7c", "auth0|5f7c"],
    [" a b ", "%20a%20b%20"],
    ["a\r\nX-Omnia-Session: b", "a%0D%0AX-Omnia-Session:%20b"],
    ["50%41", "50%2541"],
    ["Łukasz", "%C5%81ukasz"],
    ["\ud800", "%EF%BF%BD"],
    ["🙂", "%F0%9F%99%82"],
  ])("write the subject %j so that every header can have it", (subject, written) => {
    expect(headersOf(subject)["x-omnia-subject"]).toBe(written);
  });

  it("sign an empty body and none alike, and the bytes of a body as its text", () => {
    const signed = (body: string | Uint8Array | undefined): string | undefined => {
      const told = callerHeaders(
        { subject: "a", sessionId: "s" },
        { credential: "k", body, now: 0 },
      );
      return "headers" in told ? told.headers["x-omnia-signature"] : undefined;
    };
    expect(signed("")).toBe(signed(undefined));
    expect(signed("Å")).toBe(signed(Buffer.from("Å")));
    expect(signed("Å")).not.toBe(signed(""));
  });

  it("are not made of a subject that is too long, or without a credential", () => {
    const caller = { subject: "ü".repeat(MAX_SUBJECT_CHARACTERS / 2), sessionId: "s" };
    expect(callerHeaders(caller, signature)).toEqual({
      error: "the name of the caller is too long to be forwarded to the tool",
    });
    const known = { subject: "alice", sessionId: "s" };
    expect(callerHeaders(known, { ...signature, credential: "" })).toEqual({
      error: "the tool has no credential to sign the caller with",
    });
  });
});
