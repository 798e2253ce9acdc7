"""The state of a thread: JSON all the way, so that Studio can show and change it and a strict deserialiser can read it.

Nodes parse what they need into the types of `domain` with the helpers below and return plain JSON.
"""

from typing import Annotated, Any

from langchain_core.messages import AIMessage, AnyMessage
from langgraph.graph.message import add_messages
from pydantic import BaseModel
from typing_extensions import TypedDict

from domain.outcomes import Outcome, StepResult, Usage
from domain.plans import Plan, Privacy

JsonDict = dict[str, Any]


class InputState(TypedDict):
    """What a caller gives: the conversation, ending in the goal."""

    messages: Annotated[list[AnyMessage], add_messages]


class OutputState(TypedDict):
    """What a caller gets."""

    messages: Annotated[list[AnyMessage], add_messages]
    outcome: JsonDict


class State(InputState, total=False):
    """Everything a thread knows. Each field but `messages`, `folded` and `earlier` belongs to the current goal."""

    folded: JsonDict
    """Summary of the older messages: `text`, `upto` (how many messages are in it), `privacy`."""
    earlier: list[JsonDict]
    """`domain.briefings.Earlier` of the latest goals before the current one, for follow-ups."""

    goal: str
    run: str
    """Id of the run that the goal started; stays the same when the run is resumed."""
    started: float
    """Unix time at which the goal came in."""
    briefing: JsonDict
    """`domain.briefings.Briefing`."""
    recall: JsonDict
    """`domain.routing.Recall`."""
    decision: JsonDict
    """`domain.routing.RouteDecision`."""
    plan: JsonDict
    """`domain.plans.Plan`."""
    problems: list[JsonDict]
    """`domain.plans.Problem`s of the last plan."""
    recipe: str
    """Id of the recipe that the plan was first made with; empty without one."""
    carried: dict[str, list[str]]
    """What a person is to look at before a step writes, in words, by step id; see `graph.origins`."""
    plan_revisions: int
    replans: int
    trials: dict[str, JsonDict]
    """What trials give this run, by name; see `graph.trying.drawn`."""
    assigned: dict[str, JsonDict]
    """Who does a step that somebody was chosen for, by step id: `for` (whom the plan names), `agent`, `fallbacks`."""
    stretches: int
    """Stretches of an adaptive plan that have been run."""
    continuing: bool
    """Whether the planner is to plan the next stretch, behind the steps that are finished."""
    failed_plans: list[str]
    """Fingerprints of plans that failed in a way that does not pass by itself."""
    limit: JsonDict
    """`domain.outcomes.Failure` that ends the run outside of its steps: the budget of a role ran out, or there is no
    further plan; empty while nothing did."""
    seconds: float
    """Time at work so far, where a budget bounds it."""
    results: dict[str, JsonDict]
    """`domain.outcomes.StepResult` by step id; delete one to have its step and the successors run again."""
    draft: JsonDict
    """`domain.outcomes.Draft` under criticism, in the end the approved one."""
    best: JsonDict
    """`{"draft": ..., "critique": ...}`: the best version so far."""
    critique: JsonDict
    """`domain.outcomes.Critique` of `draft`."""
    attempts: list[JsonDict]
    """`{"digest", "score"}` per criticised draft."""
    stopped: str
    """Why critique and revision ended; set once the draft is final."""
    gate: str
    """Checkpoint node that holds the open question; empty when none is open."""
    pending: list[JsonDict]
    """`domain.approvals.ActionRequest`s of the open question."""
    answer: list[JsonDict]
    """Decisions that came as a typed message instead of a resume."""
    decisions: dict[str, JsonDict]
    """`{"decision", "digest"}` by request id: answers, each with the hash of what was shown."""
    undone: list[str]
    """Effects that a rollback took back, the last one first."""
    kept: list[str]
    """Effects that a rollback could not take back, with the reasons."""
    usage: JsonDict
    """`domain.outcomes.Usage` of the roles; the steps' own is in their results."""
    degraded: bool
    """Whether a rule-based twin stepped in for a role."""
    outcome: JsonDict
    """`domain.outcomes.Outcome`; empty while the run goes on."""


TURN_PRIVACY = "privacy"
"""Under which an answer that is more private than `internal` says so."""
FRESH: JsonDict = {
    "plan": {}, "problems": [], "plan_revisions": 0, "replans": 0, "results": {}, "draft": {},
    "best": {}, "critique": {}, "attempts": [], "stopped": "", "gate": "", "pending": [], "answer": [],
    "decisions": {}, "usage": {}, "degraded": False, "outcome": {}, "recall": {}, "decision": {}, "recipe": "",
    "carried": {}, "trials": {}, "assigned": {}, "undone": [], "kept": [],
    "stretches": 0, "continuing": False, "failed_plans": [], "limit": {}, "seconds": 0.0,
}  # fmt: skip
"""What intake resets when a new goal comes in; a field that no goal of the thread has set is absent and means the same.

Each field that is set is written with every later checkpoint, so nothing is set before it is needed.
"""


def dumped(value: BaseModel) -> JsonDict:
    """Return a model as JSON data for the state."""
    return value.model_dump(mode="json")


def plan_of(state: State) -> Plan:
    """Return the current plan."""
    return Plan.model_validate(state.get("plan", {}))


def results_of(state: State) -> dict[str, StepResult]:
    """Return the step results by step id."""
    return {key: StepResult.model_validate(value) for key, value in state.get("results", {}).items()}


def usage_of(state: State) -> Usage:
    """Return what all models of the run have consumed so far."""
    steps = (result.usage for result in results_of(state).values())
    return sum(steps, Usage.model_validate(state.get("usage", {})))


def ended(outcome: Outcome, privacy: Privacy = "internal") -> JsonDict:
    """Return the update that ends a run: the outcome, and the answer as a message.

    Args:
        outcome: How the run ended.
        privacy: How private what the answer was made of is; the message keeps it for the turns to come.
    """
    marked = {} if privacy in ("public", "internal") else {TURN_PRIVACY: privacy}
    return {
        "outcome": dumped(outcome),
        "messages": [AIMessage(outcome.answer or outcome.status, additional_kwargs=marked)],
        "gate": "",
        "pending": [],
    }
