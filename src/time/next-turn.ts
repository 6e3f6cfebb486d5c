/** Lets the event loop do what waits: between pieces of work that take a while each. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
