import { Link } from "@tanstack/react-router";

/** `agents` are named as `namespace/name`. */
export function AgentLinks({ agents }: { agents: readonly string[] }) {
  if (agents.length === 0) return "–";
  return agents.map((agent, index) => {
    const [namespace = "", name = ""] = agent.split("/");
    return (
      <span key={agent}>
        {index === 0 ? "" : ", "}
        <Link to="/agents/$namespace/$name" params={{ namespace, name }}>
          {name}
        </Link>
      </span>
    );
  });
}
