"""Telling people: what is kept until it is told, over which channels, and in which words."""
