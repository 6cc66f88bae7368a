"""The one HTTP session that everything goes through."""
