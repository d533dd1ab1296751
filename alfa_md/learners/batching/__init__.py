"""Several episodes at once: the same numbers as one after the other."""
