"""How long the coded part of planning takes: validation, repair, estimates and choice, and how minimal plans become."""

import random
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import moocore  # type: ignore[import-untyped]  # ships no types
import numpy as np
from pydantic import BaseModel, ConfigDict

from agents.planning.choice import Floats, choose
from agents.planning.estimates import Terms, estimate
from agents.planning.minimal import edges, minimal
from agents.planning.relevance import off_goal
from agents.planning.repair import Means, repaired
from agents.team import Specialist, Team, Weights
from agents.tools.registry import Tool, Toolbox, ToolOutput
from domain.briefings import Briefing
from domain.plans import Plan, Step
from domain.validation import MAX_STEPS, validate_plan
from evals.report import Aim, Report
from graph.catalogue import RunCatalogue

POINTS, OBJECTIVES = 1000, 100
_GOAL = "How did the sales of region {} change, and what explains it?"


class Lookup(BaseModel):
    """What the benchmark's tools take."""

    model_config = ConfigDict(extra="forbid")

    query: str
    limit: int = 5


def means(agents: int = 8, tools: int = 12) -> Means:
    """Return a team whose specialists share the tools; the last tool writes."""

    async def run(_: Lookup) -> ToolOutput:
        return ToolOutput("nothing")

    box = Toolbox.of(
        Tool(f"tool_{i}", "Looks things up.", Lookup, run, effect="write" if i == tools - 1 else "read")
        for i in range(tools)
    )
    specialists = tuple(
        Specialist(name=f"agent_{i}", description="Works.", tools=tuple(box.tools)) for i in range(agents)
    )
    return Means(Team(name="bench", description="A team.", specialists=specialists), box)


def random_plan(rng: random.Random, given: Means, steps: int = MAX_STEPS) -> Plan:
    """Return a valid plan of specialists' work and direct calls of tools, each reading up to four earlier steps."""
    agents, tools = [s.name for s in given.team.specialists], list(given.tools.tools)
    made: list[Step] = []
    for i in range(steps):
        before = rng.sample(range(i), min(i, rng.randint(0, 4)))
        tool = rng.choice(tools) if rng.random() < 0.5 else None
        query: Any = {"ref": {"step": f"s{before[0]}"}} if before else f"sales of region {i}"
        made.append(
            Step(
                id=f"s{i}",
                agent=rng.choice(agents),
                task=f"Find the sales of region {i}",
                tool=tool,
                args={"query": query, "limit": rng.randint(1, 9)} if tool else {},
                needs=[f"s{j}" for j in before],
                effect=given.tools.tools[tool].effect if tool else "none",
            )
        )
    return Plan(steps=made)


def broken(plan: Plan, rng: random.Random) -> Plan:
    """Return the plan with a misspelt agent, a misspelt need, a circle and a wrong argument."""
    steps = [step.model_copy(deep=True) for step in plan.steps]
    steps[3].agent = "Agent 1"
    steps[5].needs = ["S4"]
    steps[0].needs = [steps[-1].id]
    steps[-1].needs = [steps[0].id]
    for step in steps:
        if step.tool and isinstance(step.args["query"], str):
            step.args["query"] = rng.randint(1, 9)
            break
    return plan.model_copy(update={"steps": steps})


def planned(plans: Sequence[Plan], given: Means, weights: Weights) -> int:
    """Do all that code does with one answer of a planner, and return which plan is chosen."""
    catalogue, found = RunCatalogue(given.team, given.tools), []
    briefing = Briefing(workspace="bench")
    for plan in plans:
        mended = repaired(plan, given).plan
        validate_plan(mended, catalogue)
        least = minimal(mended)
        off_goal(least, _GOAL, briefing)
        found.append(estimate(least, Terms()))
    return choose(found, weights).best


def dominance_sort(points: Floats) -> list[int]:
    """Return the Pareto rank of each point by comparing all pairs with numpy, front after front: the plain way."""
    left, ranks, rank = list(range(len(points))), [0] * len(points), 0
    beaten_by = [np.all(points <= p, axis=1) & np.any(points < p, axis=1) for p in points]
    while left:
        alive = np.zeros(len(points), bool)
        alive[left] = True
        front = [i for i in left if not np.any(beaten_by[i] & alive)]
        for i in front:
            ranks[i] = rank
        left = [i for i in left if i not in set(front)]
        rank += 1
    return ranks


def milliseconds(work: Callable[[], object], runs: int) -> float:
    """Return the median duration of some runs, after one that warms up."""
    work()
    taken = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


def run(*, runs: int = 20, seed: int = 1) -> Report:
    """Time each part on the same random plans."""
    rng, given = random.Random(seed), means()
    plans = [random_plan(rng, given) for _ in range(3)]
    slips = [broken(plan, rng) for plan in plans]
    catalogue = RunCatalogue(given.team, given.tools)
    cloud: Floats = np.random.default_rng(seed).random((POINTS, OBJECTIVES))
    few: Floats = cloud[:, :4]
    text = plans[0].model_dump_json()
    too_long = Plan(steps=[Step(id=f"s{i}", agent="agent_0", task="x") for i in range(10 * MAX_STEPS)])
    figures: Mapping[str, Any] = {
        "steps": MAX_STEPS,
        "validate_ms": milliseconds(lambda: validate_plan(plans[0], catalogue), runs),
        "parse_ms": milliseconds(lambda: Plan.model_validate_json(text), runs),
        "validate_too_long_ms": milliseconds(lambda: validate_plan(too_long, catalogue), runs),
        "repair_ms": milliseconds(lambda: repaired(slips[0], given), runs),
        "minimal_ms": milliseconds(lambda: minimal(plans[0]), runs),
        "three_alternatives_ms": milliseconds(lambda: planned(slips, given, Weights()), runs),
        "pareto_ms": milliseconds(lambda: moocore.pareto_rank(cloud), runs),
        "pareto_by_pairs_ms": milliseconds(lambda: dominance_sort(cloud), min(runs, 3)),
        "pareto_four_aims_ms": milliseconds(lambda: moocore.pareto_rank(few), runs),
        "pareto_agrees": float(list(moocore.pareto_rank(few)) == dominance_sort(few)),
        "edges_kept": _kept(plans),
    }
    return Report(
        name="planning",
        figures=figures,
        aims=(
            Aim("validate_ms", "<=", 5),
            Aim("pareto_ms", "<=", 20),
            Aim("pareto_agrees", ">=", 1),
            Aim("three_alternatives_ms", "<=", 5000),
        ),
    )


def _kept(plans: Iterable[Plan]) -> float:
    """Return the share of edges that minimal plans keep, 0-1."""
    every = list(plans)
    return sum(edges(minimal(plan)) for plan in every) / sum(map(edges, every))
