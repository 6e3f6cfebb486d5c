/** How programs talk to an agent, with its real address. Every snippet can be pasted and run as it is. */
import { shellQuoted } from "../parts/shell-quoted.ts";

export interface Snippet {
  readonly name: string;
  /** What it needs, where that is not at hand everywhere. */
  readonly needs?: string | undefined;
  readonly text: string;
}

const GREETING = "Hello!";
/** A token is never part of what is shown and copied: it comes from the environment. */
const VARIABLE = "OMNIA_TOKEN";

export function connectSnippets({
  wsUrl,
  authenticated,
}: {
  wsUrl: string;
  authenticated: boolean;
}): Snippet[] {
  const frame = JSON.stringify({ type: "message", content: GREETING });
  const httpUrl = wsUrl.replace(/^ws/, "http");
  return [
    {
      name: "websocat",
      needs: "websocat is a program for terminals.",
      text: [
        `echo ${shellQuoted(frame)} |`,
        `  websocat -n${authenticated ? ` -H="Authorization: Bearer $${VARIABLE}"` : ""} ${shellQuoted(wsUrl)}`,
      ].join(" \\\n"),
    },
    {
      name: "JavaScript",
      needs: "It runs in browsers, and in Node.js from version 22 on.",
      text: `${authenticated ? `const token = process.env.${VARIABLE};\n` : ""}const socket = new WebSocket(${JSON.stringify(wsUrl)}${authenticated ? ", [`bearer.${token}`]" : ""});
socket.onopen = () => socket.send(JSON.stringify({ type: "message", content: ${JSON.stringify(GREETING)} }));
const show = console.log;
socket.onmessage = ({ data }) => {
  const frame = JSON.parse(data);
  if (frame.type === "chunk") show(frame.content);
  if (frame.type === "done" || frame.type === "error") socket.close();
};
`,
    },
    {
      name: "Python",
      needs: "It wants the package websockets.",
      text: `import asyncio, json${authenticated ? ", os" : ""}
from websockets.asyncio.client import connect

async def main():
    async with connect(${JSON.stringify(wsUrl)}${authenticated ? `, additional_headers={"Authorization": f"Bearer {os.environ['${VARIABLE}']}"}` : ""}) as socket:
        await socket.send(json.dumps({"type": "message", "content": ${JSON.stringify(GREETING)}}))
        async for text in socket:
            frame = json.loads(text)
            if frame["type"] == "chunk":
                print(frame["content"], end="", flush=True)
            if frame["type"] in ("done", "error"):
                break

asyncio.run(main())
`,
    },
    {
      name: "curl",
      needs:
        "curl shows whether the agent takes a connection: the answer is 101, and Ctrl-C ends it.",
      text: [
        "curl -i -N --http1.1",
        ...(authenticated ? [`-H "Authorization: Bearer $${VARIABLE}"`] : []),
        "-H 'Connection: Upgrade' -H 'Upgrade: websocket'",
        "-H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: b21uaWEtb21uaWEtb21uaQ=='",
        shellQuoted(httpUrl),
      ].join(" \\\n  "),
    },
  ];
}
