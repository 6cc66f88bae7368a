// The CloudEvents SDK after verification: `new CloudEvent()` takes the parsed JSON, whatever its content type was.
import { CloudEvent } from "cloudevents";
import express from "express";
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.env.EXAMHOOK_SECRET);
const seen = new Set();
const app = express();

app.post("/", express.text({ type: "*/*" }), (request, response) => {
  let event;
  try {
    event = new CloudEvent(webhook.verify(request.body, request.headers));
  } catch {
    return response.sendStatus(400);
  }
  if (!seen.has(request.get("webhook-id"))) console.log(event.type, event.id);
  seen.add(request.get("webhook-id"));
  response.sendStatus(204);
});

app.listen(Number(process.env.PORT), "127.0.0.1");
