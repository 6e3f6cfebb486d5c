import { observed, secret, theReferences } from "../builders/a-decision.ts";
import { REDIS, REDIS_SECRET, type DecisionCase } from "./decision-case.ts";

export const SESSION_STORE_CASES: readonly DecisionCase[] = [
  {
    says: "a URL in a Secret",
    type: "SessionStoreReady",
    reason: "Resolved",
    spec: REDIS,
    references: theReferences({ sessionStoreSecret: REDIS_SECRET }),
    observed: observed(1, 1),
    phase: "Running",
    message: 'Secret "redis-credentials", key "url"',
  },
  {
    says: "sessions in memory",
    type: "SessionStoreReady",
    reason: "NotNeeded",
    observed: observed(1, 1),
    phase: "Running",
    message: "memory of each replica",
  },
  {
    says: "a runtime that has a memory of its own",
    type: "SessionStoreReady",
    reason: "Resolved",
    spec: {
      ...REDIS,
      env: [
        { name: "OMNIA_RUNTIME_COMMAND", value: "python server.py" },
        { name: "OMNIA_RUNTIME_PROTOCOL", value: "omnia.runtime.v1" },
      ],
    },
    references: theReferences({ sessionStoreSecret: REDIS_SECRET }),
    observed: observed(1, 1),
    phase: "Running",
    message: "no other replica takes over a turn whose replica ends",
  },
  {
    says: "a Secret of the store that is not there",
    type: "SessionStoreReady",
    reason: "SecretNotFound",
    spec: REDIS,
    references: theReferences({ sessionStoreSecret: { found: false, hint: "set REDIS_URL" } }),
    phase: "Pending",
    message: "or set REDIS_URL",
  },
  {
    says: "a Secret of the store without the key",
    type: "SessionStoreReady",
    reason: "SecretKeyMissing",
    spec: REDIS,
    references: theReferences({ sessionStoreSecret: secret("redis-credentials") }),
    phase: "Pending",
    message: "it is empty",
  },
  {
    says: "a URL that is of no Redis",
    type: "SessionStoreReady",
    reason: "InvalidURL",
    spec: REDIS,
    references: theReferences({
      sessionStoreSecret: {
        ...REDIS_SECRET,
        urlProblem: "it must begin with redis:// or rediss://",
      },
    }),
    phase: "Pending",
    message: "cannot be used: it must begin with redis:// or rediss://",
  },
  {
    says: "a replica that runs and cannot reach its store",
    type: "SessionStoreReady",
    reason: "Unreachable",
    spec: REDIS,
    references: theReferences({ sessionStoreSecret: REDIS_SECRET }),
    observed: {
      ...observed(1, 0),
      reports: [{ about: "session-store", message: "the session store does not answer" }],
    },
    phase: "Pending",
    message: "A replica runs and is not ready: the session store does not answer",
  },
];
