import type { Check, CheckContext } from "../harness/check.ts";
import { CheckSkipped, ensure } from "../harness/check-failed.ts";

const MIN_SESSION_ID_CHARACTERS = 16;
const PATHS = ["/", "/ws"];

export const CONNECTING: readonly Check[] = [
  {
    name: "greets with connected, which names a new session with no frames yet",
    section: "Connecting",
    async run(context) {
      const { seq, resumed } = await (await context.connect()).nextConnected();
      ensure(!resumed, "resumed is true");
      ensure(seq === 0, `seq is ${seq}`);
    },
  },
  {
    name: "gives every connection a session of its own, with an id that cannot be guessed",
    section: "Connecting",
    async run(context) {
      const first = await (await context.connect()).nextConnected();
      const second = await (await context.connect()).nextConnected();
      ensure(first.session_id !== second.session_id, "two connections have the same session");
      ensure(
        first.session_id.length >= MIN_SESSION_ID_CHARACTERS,
        `${JSON.stringify(first.session_id)} is too short for 128 random bits`,
      );
    },
  },
  {
    name: "takes connections at / and at /ws",
    section: "Connecting",
    async run(context) {
      skipOtherPaths(context);
      for (const path of PATHS) {
        const status = await context.refusal({ path });
        ensure(status === undefined, `${path} was refused with ${status}`);
      }
    },
  },
  {
    name: "refuses other paths with 404",
    section: "Connecting",
    async run(context) {
      skipOtherPaths(context);
      expectStatus(await context.refusal({ path: "/no-such-path" }), 404);
    },
  },
  {
    name: "refuses a connection to another agent with 404",
    section: "Connecting",
    async run(context) {
      // A gateway takes the agent from the path, too.
      const [, before, after] = /^(\/agents\/[^/]+\/)[^/]+(\/.*)$/.exec(context.path) ?? [];
      const other =
        before === undefined
          ? { query: { agent: "no-such-agent" } }
          : { path: `${before}no-such-agent${after}` };
      expectStatus(await context.refusal(other), 404);
    },
  },
  {
    name: "refuses who has no token with 401",
    section: "Connecting",
    async run(context) {
      skipWithoutToken(context);
      expectStatus(await context.refusal({ token: null }), 401);
    },
  },
  {
    name: "refuses a wrong token with 401",
    section: "Connecting",
    async run(context) {
      skipWithoutToken(context);
      expectStatus(await context.refusal({ token: "not-a-token" }), 401);
    },
  },
  {
    name: "answers ?session_id= of an unknown session with SESSION_NOT_FOUND, then greets with a new one",
    section: "resume",
    async run(context) {
      const sessionId = "conformance-no-such-session";
      const connection = await context.connect({ query: { session_id: sessionId } });
      await connection.nextError("SESSION_NOT_FOUND", "an unknown session");
      const { session_id } = await connection.nextConnected();
      ensure(session_id !== sessionId, "the unknown session was taken for one");
    },
  },
];

function expectStatus(status: number | undefined, expected: number): void {
  ensure(status === expected, status === undefined ? "it was let in" : `the answer was ${status}`);
}

function skipOtherPaths({ path }: CheckContext): void {
  if (!PATHS.includes(path)) throw new CheckSkipped(`the address has a path of its own, ${path}`);
}

function skipWithoutToken({ hasToken }: CheckContext): void {
  if (!hasToken) throw new CheckSkipped("no --token was given");
}
