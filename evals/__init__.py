"""Measuring: scripted models, recorded tasks, scorers and benchmarks."""
