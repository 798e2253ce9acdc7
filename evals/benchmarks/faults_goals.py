"""What the teams are asked for while things fail: a goal of every kind, and the plans that a model makes for it."""

from collections.abc import Iterator, Mapping
from itertools import count, cycle
from typing import Any, NamedTuple

from agents.rules.templates import worded
from agents.team import Team
from domain.plans import Step
from evals.improvised import Scene

GOALS: Mapping[str, Mapping[str, str]] = {
    "documents": {
        "search": "Which laws and incentives for wind energy does Iowa have?",
        "summary": "Summarise what the documents say about coal and gas.",
        "analysis": "Which source of electricity grew most, and why?",
        "comparison": "Compare the electricity from wind with that from coal.",
        "creation": "Write a brief on how Iowa's electricity changed, and why.",
        "action": "Save a note with the main facts about the Duane Arnold plant.",
        "conversation": "Hello, what can you do for me?",
    },
    "marketing": {
        "search": "Find what the materials say about the building of wind farms.",
        "summary": "Summarise what is known about the state's incentives.",
        "analysis": "What do the figures mean for a campaign about wind power?",
        "comparison": "Compare how well wind and nuclear power would sell as a story.",
        "creation": "Write a blog post about wind power in Iowa.",
        "action": "Publish a short piece about the incentives for wind power.",
        "conversation": "Good morning, are you there?",
    },
}
TOOL_ARGS: Mapping[str, Mapping[str, Any]] = {
    "search_documents": {"query": "wind energy laws incentives coal gas"},
    "read_document": {"name": "wind-build-out.md"},
    "describe_table": {"name": "iowa_electricity"},
    "query_tables": {
        "sql": "SELECT source, min(net_generation) AS least, max(net_generation) AS most "
        "FROM iowa_electricity GROUP BY source ORDER BY source"
    },
    "calculate": {"expression": "(21933 / 56476) * 100"},
    "list_materials": {},
}
_ANSWERED = {"id", "agent", "task", "tool", "args", "needs", "on_failure"}


class Case(NamedTuple):
    """One run."""

    number: int
    team: str
    scene: Scene


def cases(teams: Mapping[str, Team]) -> Iterator[Case]:
    """Yield cases without end, the teams and kinds in turn; no two have the same goal."""
    asked = cycle([(team, kind, goal) for team in GOALS for kind, goal in GOALS[team].items()])
    for number, (team, kind, goal) in zip(count(1), asked, strict=False):
        wanted = f"{goal} (Request {number}.)"
        yield Case(number, team, Scene(goal=wanted, kind=kind, plans=_plans(teams[team], kind, wanted)))


def _plans(team: Team, kind: str, goal: str) -> list[list[dict[str, Any]]]:
    """Return the team's own plan for the kind, and one in which a single specialist does the work."""
    template = next((template for template in team.templates if kind in template.kinds), None)
    if template is None:
        return []
    steps = worded(template.steps, goal)
    agent = steps[0].agent
    alone = Step(id="alone", agent=team.specialist(agent).fallback or agent, task=f"Do it alone: {goal}")
    delivery = [step for step in steps if step.delivers]
    return [[_answered(step) for step in plan] for plan in (steps, [alone, *delivery])]


def _answered(step: Step) -> dict[str, Any]:
    """Return a step as a model writes it."""
    return step.model_dump(mode="json", include=_ANSWERED)
