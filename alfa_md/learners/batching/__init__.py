"""Batching of episodes: several computed together, with the numbers of one at a time."""
