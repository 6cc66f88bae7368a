// express.json(), as in Express's documentation: the body is parsed, and its bytes are gone.
const { default: express } = await import(process.argv[2] ?? "express");

const seen = new Set();
const app = express();
app.use(express.json());

app.post("/", (request, response) => {
  const { type, id } = request.body;
  if (!seen.has(request.get("webhook-id"))) console.log(type, id);
  seen.add(request.get("webhook-id"));
  response.sendStatus(204);
});

app.listen(Number(process.env.PORT), "127.0.0.1");
