"""Bindings that reduce memory use and change no number by more than rounding: a run resumes under other ones."""

SAVING = {"support_moments.query_portion": "10", "GradientLearner.recompute": "@recompute_all"}
