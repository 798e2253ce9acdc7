"""The vocabulary of Understudy: plans, outcomes, briefings, approvals, events, errors. Pure; no I/O."""
