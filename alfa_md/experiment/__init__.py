"""What a run is and keeps: configuration, learner and data, run directory, checkpoints."""
