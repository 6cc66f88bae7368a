"""Finding out what is wrong with an installation, by the operator's own rights and without asking the provider."""
