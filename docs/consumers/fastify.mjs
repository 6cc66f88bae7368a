// Receives webhooks with Fastify. Run it with: node fastify.mjs
import Fastify from "fastify";
import { Webhook } from "standardwebhooks"; // npm install fastify standardwebhooks

const webhook = new Webhook(process.env.EXAMHOOK_SECRET); // whsec_…
const seen = new Set(); // keep these ids in your database
const app = Fastify();

// Replaces the JSON parser of this instance: the signature covers the bytes as they came.
app.addContentTypeParser("application/json", { parseAs: "string" }, (request, body, done) => done(null, body));

app.post("/", async (request, reply) => {
  let event;
  try {
    event = webhook.verify(request.body, request.headers);
  } catch {
    return reply.code(400).send();
  }
  if (!seen.has(request.headers["webhook-id"])) {
    console.log(event.type, event.id); // your work, in less than 15 seconds
    seen.add(request.headers["webhook-id"]);
  }
  return reply.code(204).send();
});

await app.listen({ port: Number(process.env.PORT ?? 8200), host: "127.0.0.1" });
