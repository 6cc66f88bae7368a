// The CloudEvents SDK's HTTP.toEvent(), which recognizes structured mode by its content type.
import { HTTP } from "cloudevents";
import express from "express";

const seen = new Set();
const app = express();
app.use(express.text({ type: "*/*" }));

app.post("/", (request, response) => {
  let event;
  try {
    event = HTTP.toEvent({ headers: request.headers, body: request.body });
  } catch {
    return response.sendStatus(415);
  }
  if (!seen.has(request.get("webhook-id"))) console.log(event.type, event.id);
  seen.add(request.get("webhook-id"));
  response.sendStatus(204);
});

app.listen(Number(process.env.PORT), "127.0.0.1");
