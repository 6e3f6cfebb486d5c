/** The server closes a connection with this code when the credential that it was made with is no longer accepted. */
export const CLOSE_UNAUTHORIZED = 4401;
