"""Figures of runs, one module each: hyperparameters, training curves, an episode, a regression."""
