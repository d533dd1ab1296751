"""Audit of converted sources: record integrity, agreement with the specification, and record order."""
