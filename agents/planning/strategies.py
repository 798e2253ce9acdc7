"""Which strategy a plan follows, told by its shape; see `domain.plans.Strategy`. Pure."""

from domain.plans import Plan, Strategy, execution_order


def labelled(plan: Plan) -> Plan:
    """Return the plan with a strategy that fits its shape; a plan with a circle keeps its own word."""
    try:
        fitting = strategy_of(plan)
    except ValueError:  # graphlib.CycleError
        return plan
    return plan if plan.strategy == fitting else plan.model_copy(update={"strategy": fitting})


def strategy_of(plan: Plan) -> Strategy:
    """Return the strategy that a plan follows.

    Only `comprehensive` is left to the planner's word: whether coverage is wide cannot be seen from the shape, but
    fewer than three steps are not wide.
    """
    work = [step for step in plan.steps if not step.delivers]
    if plan.continues or any(step.conditions for step in work):
        return "adaptive"
    if plan.strategy == "comprehensive" and len(work) >= 3:
        return "comprehensive"
    levels = execution_order(plan.model_copy(update={"steps": work})) if work else []
    return "parallel" if any(len(level) > 1 for level in levels) else "simple"
