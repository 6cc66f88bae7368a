// @koa/bodyparser, as in its documentation: `body` is parsed.
import { bodyParser } from "@koa/bodyparser";
import Koa from "koa";

const seen = new Set();
const app = new Koa();
app.use(bodyParser());

app.use((context) => {
  const { type, id } = context.request.body;
  if (!seen.has(context.get("webhook-id"))) console.log(type, id);
  seen.add(context.get("webhook-id"));
  context.status = 204;
});

app.listen(Number(process.env.PORT), "127.0.0.1");
