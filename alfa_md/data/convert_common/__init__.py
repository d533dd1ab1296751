"""Code shared by the converters: plans, splits, JPEG encoding, and resumable writing of records."""
