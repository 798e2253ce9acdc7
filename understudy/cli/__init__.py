"""The command line: each command parses, calls the orchestrator, and prints its events."""
