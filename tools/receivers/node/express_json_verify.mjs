// express.json() with its option `verify`, which sees the bytes before they are parsed.
import { Webhook } from "standardwebhooks";

const { default: express } = await import(process.argv[2] ?? "express");
const webhook = new Webhook(process.env.EXAMHOOK_SECRET);
const seen = new Set();
const app = express();
app.use(express.json({ verify: (request, response, bytes) => (request.rawBody = bytes) }));

app.post("/", (request, response) => {
  try {
    webhook.verify(request.rawBody, request.headers);
  } catch {
    return response.sendStatus(400);
  }
  const { type, id } = request.body;
  if (!seen.has(request.get("webhook-id"))) console.log(type, id);
  seen.add(request.get("webhook-id"));
  response.sendStatus(204);
});

app.listen(Number(process.env.PORT), "127.0.0.1");
