// Hono's `json()`, as in its documentation.
import { serve } from "@hono/node-server";
import { Hono } from "hono";

const seen = new Set();
const app = new Hono();

app.post("/", async (context) => {
  const { type, id } = await context.req.json();
  if (!seen.has(context.req.header("webhook-id"))) console.log(type, id);
  seen.add(context.req.header("webhook-id"));
  return context.body(null, 204);
});

serve({ fetch: app.fetch, port: Number(process.env.PORT), hostname: "127.0.0.1" });
