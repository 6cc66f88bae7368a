// Receives Examhook's webhooks, trusts only signed ones, and drops what is older than what it knows.
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks"; // npm install standardwebhooks

const webhook = new Webhook(process.env.EXAMHOOK_SECRET); // whsec_…
const newest = new Map(); // keep this in your database

createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString("utf8"); // the bytes as they came, before any JSON parser
  try {
    webhook.verify(body, request.headers);
  } catch {
    return response.writeHead(400).end();
  }
  const event = JSON.parse(body);
  const submission = event.source + (event.subject ?? "");
  if (event.sequence === undefined || event.sequence > (newest.get(submission) ?? "")) {
    newest.set(submission, event.sequence ?? "");
    console.log(event.type, JSON.stringify(event.data));
  }
  response.writeHead(204).end(); // an old or repeated event is no error
}).listen(Number(process.env.PORT ?? 8200), "127.0.0.1");
