/** The one policy of the page for addresses of scripts (Trusted Types): its own workers, and nothing else. */

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL: (address: string) => string },
  ): { createScriptURL(address: string): string };
}

const ASSETS = "/assets/";

let policy: { createScriptURL(address: string): string } | undefined;

export function scriptAddress(address: string): string {
  policy ??= createPolicy();
  return policy.createScriptURL(address);
}

function createPolicy(): { createScriptURL(address: string): string } {
  const rules = { createScriptURL: ownAddress };
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  return trustedTypes?.createPolicy("omnia", rules) ?? rules;
}

function ownAddress(address: string): string {
  const { origin, pathname } = new URL(address, location.href);
  const isDevelopment = import.meta.env.DEV;
  if (origin === location.origin && (pathname.startsWith(ASSETS) || isDevelopment)) return address;
  throw new TypeError("This is no script of the console.");
}
