"""The HTTP service: conversations, runs and decisions over a network, on any node."""
