import { SIGN_IN_PATH, WRITE_HEADER } from "../../http-api/paths.ts";
import { keepToken, takeFromAddress } from "./token.ts";

/** Gives the code of the address (`#code=…`), which `omnia console` puts there, for a token. Where it counts no more, the page asks for a token. */
export async function signInByCode(page: Pick<Window, "location" | "history">): Promise<void> {
  const code = takeFromAddress("code", page);
  if (code === undefined) return;
  try {
    const response = await fetch(SIGN_IN_PATH, {
      method: "POST",
      headers: { "content-type": "application/json", [WRITE_HEADER]: "console" },
      body: JSON.stringify({ code }),
      credentials: "omit",
    });
    if (!response.ok) return;
    const { token } = (await response.json()) as { token?: unknown };
    if (typeof token === "string") keepToken(token);
  } catch {
    // Nothing answers. The page says so as soon as it asks for what it shows.
  }
}
