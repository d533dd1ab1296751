"""What this package costs, measured beside what it replaces."""
