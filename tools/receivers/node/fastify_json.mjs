// Fastify's own JSON parser, as in its first example.
import Fastify from "fastify";

const seen = new Set();
const app = Fastify();

app.post("/", async (request, reply) => {
  const { type, id } = request.body;
  if (!seen.has(request.headers["webhook-id"])) console.log(type, id);
  seen.add(request.headers["webhook-id"]);
  return reply.code(204).send();
});

await app.listen({ port: Number(process.env.PORT), host: "127.0.0.1" });
