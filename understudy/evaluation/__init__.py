"""Recorded tasks played by the product: from recordings without a network, or live, to be recorded."""
