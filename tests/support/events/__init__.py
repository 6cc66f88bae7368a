"""Events and values of the model."""
