"""The command line of Examhook and its local run."""
