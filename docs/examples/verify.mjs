// Receives Examhook's webhooks, verifies signatures, drops stale events and reports missing ones.
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks"; // npm install standardwebhooks

const getsStarted = false; // true for an endpoint with --types 'submission.*'

const webhook = new Webhook(process.env.EXAMHOOK_SECRET); // whsec_…
const newest = new Map(); // highest revision of each attempt or exam; store these three in your database
const seen = new Set(); // ids of received events
const missing = new Set(); // ids that other events named and that have not arrived yet

// Id of the event that comes before this one at this endpoint.
function expectedBefore({ previousid, data }) {
  // Otherwise it is submission.started, which the endpoint does not receive, or submission.reopened.
  return getsStarted || data.submission?.previous_status !== "in_test" ? previousid : undefined;
}

// Whether the event is newer than everything known of its attempt or exam; records received and missing events.
function isNews(event) {
  const { id, source, subject = "", revision } = event;
  if (seen.has(id)) return false;
  seen.add(id);
  missing.delete(id);
  const previous = expectedBefore(event);
  if (previous && !seen.has(previous)) missing.add(previous);
  if (revision === undefined) return true; // about the installation
  if (revision <= (newest.get(source + subject) ?? 0)) return false;
  newest.set(source + subject, revision);
  return true;
}

createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString("utf8"); // the raw bytes, before any JSON parser
  try {
    webhook.verify(body, request.headers);
  } catch {
    return response.writeHead(400).end();
  }
  const event = JSON.parse(body);
  if (isNews(event)) console.log(event.type, JSON.stringify(event.data));
  if (missing.size) console.log("missing so far:", ...[...missing].sort());
  response.writeHead(204).end(); // an old or repeated event is not an error
}).listen(Number(process.env.PORT ?? 8200), "127.0.0.1");
