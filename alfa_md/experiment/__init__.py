"""Definition and storage of a run: configuration, learner and data, run directory, checkpoints."""
