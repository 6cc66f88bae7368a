"""Adapters that send events to SNS, EventBridge, SQS and webhooks."""
