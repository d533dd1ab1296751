"""Devices, processes, files and progress; independent of learners and episodes."""
