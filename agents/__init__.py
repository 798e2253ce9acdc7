"""Who does the work: teams, roles, models, tools and the rule-based twins."""
