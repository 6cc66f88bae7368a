"""Delivery: latency, throughput, isolation, reliability and AWS usage of webhooks."""
