"""Figures of runs, one module each: hyperparameters, curves, an episode, a regression."""
