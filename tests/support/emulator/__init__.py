"""A local stack in the emulator."""
