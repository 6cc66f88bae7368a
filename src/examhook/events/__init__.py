"""What an event is, says and is called: pure rules, no AWS, no HTTP, no clock."""
