"""One module per DynamoDB table."""
