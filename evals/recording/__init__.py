"""Recorded tasks: what a run asked its models and tools and was answered, in plain files that can be replayed."""
