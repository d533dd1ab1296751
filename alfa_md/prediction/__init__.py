"""Predictions for unlabelled pictures by a learner that has adapted to a few labelled ones."""
