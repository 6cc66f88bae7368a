// Svix's library behind a raw body, as in Svix's documentation for Express.
import express from "express";
import { Webhook } from "svix";

const webhook = new Webhook(process.env.EXAMHOOK_SECRET);
const seen = new Set();
const app = express();

app.post("/", express.raw({ type: "application/json" }), (request, response) => {
  let event;
  try {
    event = webhook.verify(request.body, request.headers);
  } catch {
    return response.sendStatus(400);
  }
  if (!seen.has(request.get("webhook-id"))) console.log(event.type, event.id);
  seen.add(request.get("webhook-id"));
  response.sendStatus(204);
});

app.listen(Number(process.env.PORT), "127.0.0.1");
