/** Where the HTTP API is. Of its versions this is the first. */
export const API_PREFIX = "/api/v1alpha1";

/**
 * A write wants this header, with any value. A page of another site cannot set it without asking first, and is then refused.
 */
export const WRITE_HEADER = "x-omnia-request";

/**
 * Brings the token of the caller where `Authorization` is for somebody else: the token that `omnia up --host` wants, beside the bearer
 * token for an agent, and the token for a gateway that is asked through the proxy of an API server.
 */
export const ACCESS_HEADER = "x-omnia-access";

/** The limits of lists. A request that asks for more items gets this many. */
export const DEFAULT_PAGE_SIZE = 50;
export const MAX_PAGE_SIZE = 500;

/**
 * Where `omnia console` gives the page that it opened what proves it, for the code that it put into the page's address. Nothing else serves it.
 */
export const SIGN_IN_PATH = "/.omnia/sign-in";
