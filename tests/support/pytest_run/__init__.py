"""Extensions of the test run."""
