"""Scorers: what was expected of a recorded task, held against what happened in a run of it."""
