"""Where events go: SNS, the delivery queue, webhooks."""
