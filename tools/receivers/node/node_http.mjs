// node:http, which has no body parser.
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.env.EXAMHOOK_SECRET);
const seen = new Set();

createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  let event;
  try {
    event = webhook.verify(Buffer.concat(chunks), request.headers);
  } catch {
    return response.writeHead(400).end();
  }
  if (!seen.has(request.headers["webhook-id"])) console.log(event.type, event.id);
  seen.add(request.headers["webhook-id"]);
  response.writeHead(204).end();
}).listen(Number(process.env.PORT), "127.0.0.1");
