/** What the container image is to whoever runs it. The Dockerfile says the same. */
export const IMAGE_FACTS = {
  entrypoint: ["/usr/local/bin/node", "/app/dist/omnia.js"],
  /** A user of no machine, by number: so Kubernetes can tell that it is not root. */
  user: "65532:65532",
  workingDirectory: "/app",
  /** What an image of others copies to have the agent: docs/runtimes.md says how. */
  agentLayer: ["/usr/local/bin/node", "/app"],
  environment: ["PATH=/usr/local/bin:/usr/bin:/bin", "NODE_ENV=production"],
} as const;
