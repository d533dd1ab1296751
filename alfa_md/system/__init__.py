"""The machine: devices, processes, files; nothing here knows a learner or an episode."""
