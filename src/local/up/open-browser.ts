import { spawn } from "node:child_process";
import type { Environment } from "../secrets/resolve-secret.ts";

/** Opens a page in the browser of the user. Nothing depends on whether that worked. */
export function openBrowser(url: string, env: Environment): void {
  if (env["CI"] || env["SSH_CONNECTION"]) return;
  const command = commandFor(process.platform, env);
  if (command === undefined) return;
  const child = spawn(command, [url], { detached: true, stdio: "ignore" });
  child.on("error", () => {});
  child.unref();
}

function commandFor(platform: NodeJS.Platform, env: Environment): string | undefined {
  if (platform === "darwin") return "open";
  return platform === "linux" && (env["DISPLAY"] || env["WAYLAND_DISPLAY"])
    ? "xdg-open"
    : undefined;
}
