// Stands for a shop's own order service: a tool is any HTTP endpoint that takes JSON and answers with JSON.
//   node order-service.mjs [port]
import { createServer } from "node:http";
import { json } from "node:stream/consumers";

const ORDERS = {
  "A-1042": { status: "shipped", carrier: "Example Post", arrives: "tomorrow" },
  "A-1043": { status: "in preparation", arrives: "within three days" },
};
const [port = "8090"] = process.argv.slice(2);

const server = createServer((request, response) => void answerOrder(request, response));

async function answerOrder(request, response) {
  try {
    const { order } = await json(request);
    const found = ORDERS[order];
    answer(
      response,
      found ? 200 : 404,
      found ? { order, ...found } : { error: `there is no order ${order}` },
    );
  } catch {
    answer(response, 400, { error: 'expected JSON like {"order": "A-1042"}' });
  }
}

function answer(response, status, body) {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

server.listen(Number(port), "127.0.0.1", () => {
  console.log(`The order service answers at http://127.0.0.1:${server.address().port}`);
});
