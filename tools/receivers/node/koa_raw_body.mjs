// @koa/bodyparser keeps the text that it parsed in `rawBody`.
import { bodyParser } from "@koa/bodyparser";
import Koa from "koa";
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.env.EXAMHOOK_SECRET);
const seen = new Set();
const app = new Koa();
app.use(bodyParser());

app.use((context) => {
  try {
    webhook.verify(context.request.rawBody, context.headers);
  } catch {
    context.throw(400);
  }
  const { type, id } = context.request.body;
  if (!seen.has(context.get("webhook-id"))) console.log(type, id);
  seen.add(context.get("webhook-id"));
  context.status = 204;
});

app.listen(Number(process.env.PORT), "127.0.0.1");
