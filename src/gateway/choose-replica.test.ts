import { describe, expect, it } from "vitest";
import { ConnectionBook } from "./connection-book.ts";
import { orderEndpoints, type Endpoint } from "./choose-replica.ts";

const endpoints: Endpoint[] = ["a", "b", "c"].map((id, index) => ({
  id,
  host: "127.0.0.1",
  port: 9_000 + index,
}));
const ids = (ordered: readonly Endpoint[]): string => ordered.map(({ id }) => id).join("");
const choose = (book: ConnectionBook): Endpoint =>
  orderEndpoints(endpoints, "none", "client", (id) => book.load(id))[0] as Endpoint;

describe("orderEndpoints without affinity", () => {
  it("puts the replica with the fewest open connections first", () => {
    const book = new ConnectionBook();
    const [a, b, c] = endpoints as [Endpoint, Endpoint, Endpoint];
    book.enter(a);
    book.enter(a);
    book.enter(b);
    expect(ids(orderEndpoints(endpoints, "none", "client", (id) => book.load(id)))).toBe("cba");
    book.enter(c);
    book.enter(c);
    expect(choose(book)).toBe(b);
  });

  it("spreads connections that come one after the other and do not stay", () => {
    const book = new ConnectionBook();
    const chosen = Array.from({ length: 6 }, () => {
      const endpoint = choose(book);
      book.enter(endpoint)[Symbol.dispose]();
      return endpoint;
    });
    expect(ids(chosen)).toBe("abcabc");
    expect(book.open).toBe(0);
  });
});

describe("orderEndpoints with affinity to the client", () => {
  const order = (client: string, among = endpoints): Endpoint[] =>
    orderEndpoints(among, "client", client, () => ({ connections: 0, lastChosen: 0 }));

  it("leads a client to the same replica, whatever order they are given in", () => {
    for (const client of ["10.0.0.1", "10.0.0.2", "10.0.0.3"]) {
      expect(order(client, endpoints.toReversed())).toEqual(order(client));
    }
  });

  it("moves only the clients of a replica that goes", () => {
    const clients = Array.from({ length: 100 }, (_, index) => `10.0.0.${index}`);
    const left = endpoints.slice(1);
    const stayed = clients.filter((client) => order(client)[0]?.id !== "a");
    expect(stayed.length).toBeGreaterThan(30);
    expect(stayed.length).toBeLessThan(100);
    for (const client of stayed) expect(order(client, left)[0]).toBe(order(client)[0]);
  });
});
