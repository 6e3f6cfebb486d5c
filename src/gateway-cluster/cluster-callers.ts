/**
 * Callers of a cluster: a bearer token is judged by a TokenReview, and what its user may do by SubjectAccessReviews. Answers are
 * kept for some seconds, by the hash of the token, so that a page that asks for many things costs the API server little.
 */
import { hash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { GROUP } from "../api/group.ts";
import {
  CallersUnavailableError,
  type Action,
  type Caller,
  type CallerRefusal,
  type Callers,
} from "../gateway/caller.ts";
import { ACCESS_HEADER } from "../http-api/paths.ts";
import type { KubeClient } from "../kube/client/client.ts";
import type { KubernetesObject, ResourceType } from "../kube/client/object.ts";
import type { Clock } from "../time/clock.ts";
import { ExpiringAnswers } from "../time/expiring-answers.ts";

const ANSWER_AGE_MS = 10_000;
/** Each of both kinds that are kept. */
const MAX_ANSWERS = 10_000;
/** The longest token that is sent to the API server. */
const MAX_TOKEN_CHARACTERS = 16 * 1024;

const TOKEN_REVIEWS = reviews("authentication.k8s.io", "TokenReview", "tokenreviews");
const SUBJECT_ACCESS_REVIEWS = reviews(
  "authorization.k8s.io",
  "SubjectAccessReview",
  "subjectaccessreviews",
);

interface User {
  username?: string;
  uid?: string;
  groups?: string[];
  extra?: Record<string, string[]>;
}
interface TokenReview extends KubernetesObject {
  spec: { token: string };
  status?: { authenticated?: boolean; user?: User };
}
interface SubjectAccessReview extends KubernetesObject {
  spec: object;
  status?: { allowed?: boolean };
}

const TOKEN_CURE =
  "kubectl create token SERVICEACCOUNT -n NAMESPACE makes one; omnia console says how to open the page with it";
const NO_TOKEN: CallerRefusal = {
  code: "Unauthorized",
  message: "this wants a token of the cluster: Authorization: Bearer TOKEN",
  cure: TOKEN_CURE,
};
const NOT_VALID: CallerRefusal = {
  code: "Unauthorized",
  message: "the cluster does not take this token, or takes it no longer",
  cure: TOKEN_CURE,
};
const UNAVAILABLE: CallerRefusal = {
  code: "Unavailable",
  message: "the API server of the cluster cannot be asked who this is; try again",
};

export function createClusterCallers(client: KubeClient, clock: Clock): Callers {
  const users = new WeakMap<Caller, { readonly user: User; readonly token: string }>();
  const callers = new ExpiringAnswers<Caller | undefined>({
    clock,
    ageMs: ANSWER_AGE_MS,
    max: MAX_ANSWERS,
  });
  const rights = new ExpiringAnswers<boolean>({ clock, ageMs: ANSWER_AGE_MS, max: MAX_ANSWERS });

  async function review(token: string, signal: AbortSignal): Promise<Caller | undefined> {
    const asked = { metadata: { name: "" }, spec: { token } };
    const { status } = await client.create<TokenReview>(TOKEN_REVIEWS, asked, signal);
    const { username } = status?.user ?? {};
    if (status?.authenticated !== true || username === undefined || username === "") {
      return undefined;
    }
    const caller: Caller = { subject: `kubernetes:${username}`, expiresAt: expiryOf(token) };
    users.set(caller, { user: status.user ?? {}, token });
    return caller;
  }

  async function callerOf(token: string, signal: AbortSignal): Promise<Caller | undefined> {
    const key = hash("sha256", token, "base64");
    return await callers.get(key, signal, (asking) => review(token, asking));
  }

  return {
    mode: "cluster",

    async identify({ headers }, signal) {
      const token = tokenOf(headers);
      if (token === undefined) return NO_TOKEN;
      if (token.length > MAX_TOKEN_CHARACTERS) return NOT_VALID;
      try {
        return (await callerOf(token, signal)) ?? NOT_VALID;
      } catch (error) {
        if (signal.aborted) throw error;
        return UNAVAILABLE;
      }
    },

    async may(caller, action, signal) {
      const known = users.get(caller);
      if (known === undefined) return false;
      const { user, token } = known;
      const { username, uid, groups, extra } = user;
      const key = hash("sha256", JSON.stringify([user, action]), "base64");
      try {
        // Whoever is connected for long may have a token that was taken back, as with its service account.
        if ((await callerOf(token, signal)) === undefined) return false;
        return await rights.get(key, signal, async (asking) => {
          const spec = { user: username, uid, groups, extra, resourceAttributes: asked(action) };
          const { status } = await client.create<SubjectAccessReview>(
            SUBJECT_ACCESS_REVIEWS,
            { metadata: { name: "" }, spec },
            asking,
          );
          return status?.allowed === true;
        });
      } catch (error) {
        if (signal.aborted) throw error;
        const message = "the API server cannot be asked what a caller may do";
        throw new CallersUnavailableError(message, { cause: error });
      }
    },
  };
}

function asked({ verb, resource, subresource, namespace }: Action): object {
  return { group: GROUP, verb, resource, subresource, namespace };
}

/** Through the proxy of the API server the token has a header of its own: the API server keeps `Authorization` for itself. */
function tokenOf(headers: IncomingHttpHeaders): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? "")?.[1];
  const own = headers[ACCESS_HEADER];
  return bearer ?? (typeof own === "string" && own !== "" ? own : undefined);
}

/** When a token says that it ends. The API server has taken it, so what it says is true; some tokens say nothing. */
function expiryOf(token: string): number | undefined {
  try {
    const payload = Buffer.from(token.split(".")[1] ?? "", "base64url").toString();
    const { exp } = JSON.parse(payload) as { exp?: unknown };
    return typeof exp === "number" ? exp * 1_000 : undefined;
  } catch {
    return undefined;
  }
}

function reviews(group: string, kind: string, plural: string): ResourceType {
  return { group, version: "v1", kind, plural, namespaced: false };
}
