"""Meta-test: episodes scored, tables, comparisons."""
