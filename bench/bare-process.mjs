/** The floor for memory: a Node.js process that only waits for its parent to end it. Plain JavaScript: stripping types costs memory. */
process.on("disconnect", () => process.exit());
process.send?.({ port: 0 });
