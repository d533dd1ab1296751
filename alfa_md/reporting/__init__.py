"""The page that shows runs: what is read of them, the papers' numbers beside it, figures, and HTML."""
