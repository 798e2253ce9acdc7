"""Exchanges: what models and tools were asked and what they answered, in the form in which it is kept."""
