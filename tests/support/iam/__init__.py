"""What functions call, and whether their roles allow it."""
