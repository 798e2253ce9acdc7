"""Benchmarks: each measures a figure beside its comparison in the same run."""
