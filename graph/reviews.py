"""What a person reviews: a plan, the output of a step, the final draft; and whether an approval still holds for it."""

from domain.approvals import ActionRequest
from domain.outcomes import StepResult
from domain.plans import Plan
from graph.fingerprints import plan_fingerprint
from graph.gates import digest_of
from graph.state import State, dumped, plan_of

PLAN, RESULT = "plan", "result"
"""Ids of the requests about the plan and about the final draft."""


def plan_review(plan: Plan) -> ActionRequest:
    """Return the question about a plan, with what its approval holds for and no reasons yet."""
    return ActionRequest(
        id=PLAN,
        name="review_plan",
        args={"steps": [dumped(step) for step in plan.steps]},
        types={"steps": "array"},
        plan=plan_fingerprint(plan),
        description="",
    )


def output_review(result: StepResult, plan: Plan) -> ActionRequest:
    """Return the question about the output of a step of a plan, or of one of its instances."""
    return ActionRequest(
        id=f"{result.step}.after",
        name="review_step",
        args={"text": result.text},
        types={"text": "string"},
        plan=plan_fingerprint(plan),
        description="",
    )


def result_review(text: str, plan: Plan) -> ActionRequest:
    """Return the question about the final draft of a plan."""
    return ActionRequest(
        id=RESULT,
        name="review_result",
        args={"text": text},
        types={"text": "string"},
        plan=plan_fingerprint(plan),
        description="",
    )


def plan_is_stale(state: State) -> bool:
    """Return whether a person has approved a plan that is not the one that is there now."""
    return not _holds(plan_review(plan_of(state)), state)


def result_is_stale(state: State) -> bool:
    """Return whether a person has approved a final draft that is not the one that is there now."""
    return bool(state.get("stopped")) and not _holds(result_review(state["draft"]["text"], plan_of(state)), state)


def _holds(review: ActionRequest, state: State) -> bool:
    """Return whether what was approved is what is there now; where nobody approved anything, nothing can be stale."""
    entry = state.get("decisions", {}).get(review.id)
    if entry is None or entry.get("over") or entry["decision"]["type"] not in ("approve", "edit"):
        return True
    return bool(entry["digest"] == digest_of(review))
