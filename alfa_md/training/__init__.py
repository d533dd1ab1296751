"""The outer loop."""
