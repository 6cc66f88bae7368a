// Receives webhooks with Express 4 or 5. Run it with: node express.mjs
import express from "express";
import { Webhook } from "standardwebhooks"; // npm install express standardwebhooks

const webhook = new Webhook(process.env.EXAMHOOK_SECRET); // whsec_…
const seen = new Set(); // keep these ids in your database
const app = express();

// Without express.json() before it: the signature covers the bytes as they came.
app.post("/", express.raw({ type: "application/json" }), (request, response) => {
  let event;
  try {
    event = webhook.verify(request.body, request.headers);
  } catch {
    return response.sendStatus(400);
  }
  if (!seen.has(request.headers["webhook-id"])) {
    console.log(event.type, event.id); // your work, in less than 15 seconds
    seen.add(request.headers["webhook-id"]);
  }
  response.sendStatus(204);
});

app.listen(Number(process.env.PORT ?? 8200), "127.0.0.1");
