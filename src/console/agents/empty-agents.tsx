import { CodeBlock } from "../parts/code-block.tsx";
import { CodeLine } from "../parts/code-line.tsx";
import { useCaller } from "../api/use-caller.ts";
import list from "../resource/list.module.css";

const MANIFEST = `apiVersion: omnia.altairalabs.ai/v1alpha1
kind: AgentRuntime
metadata:
  name: hello
spec:
  facade:
    type: websocket
    handler: demo
`;

/** There are no agents yet: how to have the first one. */
export function EmptyAgents() {
  const { data: caller } = useCaller();
  const command =
    caller?.mode === "cluster" ? "kubectl apply -f hello.yaml" : "omnia up -f hello.yaml";
  return (
    <section className={list.empty} aria-label="The first agent">
      <h2>There are no agents yet</h2>
      <p>
        Write this into a file <code>hello.yaml</code>. It answers at once and needs no key.
      </p>
      <CodeBlock text={MANIFEST} label="hello.yaml" />
      <p>Then run:</p>
      <CodeLine text={command} name="Copy the command" />
    </section>
  );
}
