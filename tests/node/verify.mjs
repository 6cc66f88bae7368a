// Reads {"library", "secret", "headers", "body"} (the body in base64) from standard input, and says whether that
// library accepts the signature: exit status 0 yes, 1 no (with its reason), anything else is a fault.
import { readFileSync } from "node:fs";
import { Webhook as StandardWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";

const verifiers = { standardwebhooks: StandardWebhook, svix: SvixWebhook };
const { library, secret, headers, body } = JSON.parse(readFileSync(0, "utf8"));
const webhook = new verifiers[library](secret);
try {
  webhook.verify(Buffer.from(body, "base64"), headers);
} catch (error) {
  if (error.name !== "WebhookVerificationError" && error.constructor.name !== "WebhookVerificationError") {
    throw error;
  }
  console.log(error.message);
  process.exitCode = 1;
}
