"""The product: orchestrator, settings, wiring, durable runs and the command line."""
