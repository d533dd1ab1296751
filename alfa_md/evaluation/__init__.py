"""Meta-testing: scores of learners on test episodes, results files, tables and comparisons."""
