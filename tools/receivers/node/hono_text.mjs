// Hono's `text()`, then the verifier.
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.env.EXAMHOOK_SECRET);
const seen = new Set();
const app = new Hono();

app.post("/", async (context) => {
  let event;
  try {
    event = webhook.verify(await context.req.text(), context.req.header());
  } catch {
    return context.body(null, 400);
  }
  if (!seen.has(event.id)) console.log(event.type, event.id);
  seen.add(event.id);
  return context.body(null, 204);
});

serve({ fetch: app.fetch, port: Number(process.env.PORT), hostname: "127.0.0.1" });
