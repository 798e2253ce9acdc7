"""Who does a task: policies that learn from outcomes, and trials of two variants."""
