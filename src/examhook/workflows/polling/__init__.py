"""The use case of the Poll function: reads the provider and stores changes."""
