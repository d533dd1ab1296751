"""Exchange with other programs."""
