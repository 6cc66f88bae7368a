"""Bodies for the chats that people read, one product to a file, and what each product's answers mean."""
