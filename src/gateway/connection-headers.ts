/** The headers that are meant for one connection only, in lower case (RFC 9110, section 7.6.1). Whoever forwards a request leaves them out. */
export const CONNECTION_HEADERS: readonly string[] = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];
