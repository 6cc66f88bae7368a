"""The provider, simulated or in memory."""
