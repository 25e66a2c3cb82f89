"""Results -> HTML."""
