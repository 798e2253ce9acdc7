"""From a planner's answer to the plan that runs: repair, the smallest graph, estimates, choice, coded findings."""
