"""The rule-based twins of the roles: they work without a model and say so."""
