"""Meta-training: the outer loop, its update, schedules, validation and logs."""
