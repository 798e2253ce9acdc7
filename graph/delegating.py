"""Who does a step: chosen among alternatives when the step is dispatched, frozen, and judged by what came of it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from langgraph.func import task

from agents.delegation.delegator import Told
from agents.delegation.kinds import kind_of
from agents.delegation.teamwork import candidate, dollars
from agents.standing_in import interchangeable
from agents.team import Specialist
from domain.errors import StorageAway, StorageError
from domain.events import AgentSelected
from domain.outcomes import Outcome, StepResult
from domain.plans import RESULT, Plan, Step
from domain.routing import RouteDecision
from graph.binding import offers_for
from graph.context import Run
from graph.state import JsonDict, State, plan_of, results_of
from graph.trying import agent_on_trial, chances_of, observe_trials
from graph.voices import CLOCK

_NOT_THEIRS = ("storage_", "budget_", "constraint_", "resource_", "consent_", "rejected")
"""Beginnings of the codes of failures that say nothing about the agent."""


async def assigned(plan: Plan, settled: Mapping[str, StepResult], state: State, run: Run) -> dict[str, JsonDict]:
    """Return who does each step that somebody was chosen for, by step id, choosing for those that are open.

    The choice is a durable task of its own, so a run that was killed finds it again; it is the same as long as the
    plan names the same agent for the step.
    """
    frozen: dict[str, JsonDict] = dict(state.get("assigned", {}))
    known = {key for key, entry in frozen.items() if any((s.id, s.agent) == (key, entry["for"]) for s in plan.steps)}
    wanted = [s for s in plan.steps if s.id not in known and s.id not in settled and _has_choice(s, state, run)]
    if not wanted:
        return frozen

    async def choose(steps: Sequence[str]) -> dict[str, JsonDict]:
        return {step.id: await _chosen(step, state, run) for step in wanted}

    named: Any = task(name="delegate")  # its generic type does not survive the decorator's overloads
    fresh: dict[str, JsonDict] = await named(choose)([step.id for step in wanted])
    return frozen | fresh


def agents_for(step: Step, state: State, run: Run) -> list[str]:
    """Return who may do a step, in order: the chosen agent, its fallbacks, then the team's own line of fallbacks.

    Nobody comes twice, so a handover never leads back. A step with a tool does the same whoever lends its permission.
    """
    team = run.services.team
    if step.tool:
        return [step.agent]
    entry = state.get("assigned", {}).get(step.id, {})
    names = _names(run)
    chosen = [name for name in (entry.get("agent"), *entry.get("fallbacks", ())) if name in names]
    agents = list(dict.fromkeys(chosen or [step.agent]))
    following = team.specialist(step.agent).fallback
    while following and following not in agents:
        agents.append(following)
        following = team.specialist(following).fallback
    return agents


async def observe_failures(step: Step, tries: Sequence[StepResult], state: State, run: Run) -> None:
    """Remember of every agent that tried a step and never did it that it failed."""
    if step.tool:
        return
    for agent in dict.fromkeys(result.agent for result in tries):
        mine = [result for result in tries if result.agent == agent]
        if all(result.status == "failed" and not _excused(result) for result in mine):
            with suppress(StorageError):  # what the step gave is worth more than what is learnt from it
                await _observe([_told(step, mine, 0.0, state, run)], state, run)


async def observe_run(state: State, run: Run, outcome: Outcome) -> None:
    """Remember what came of the steps that agents finished, once for each run. Raises `StorageAway`."""
    await observe_trials(state, run, outcome)
    if not await run.services.delegator.claimed(run.context.workspace, run.run):
        return
    results, told = results_of(state), []
    for step in plan_of(state).steps:
        result = None if step.tool else results.get(step.id)
        if result is not None and (worth := _worth(result, state, outcome)) is not None:
            told.append(_told(step, [result], worth, state, run))
    await _observe(told, state, run)


def _worth(result: StepResult, state: State, outcome: Outcome) -> float | None:
    """Return how good a step's result was, 0..1: the critic's score of the whole, or 0 where a person refused it.

    None where nobody knows: it was not finished, which `observe_failures` has told, or nothing was criticised.
    """
    decisions = state.get("decisions", {})
    given = {key: entry["decision"] for key, entry in decisions.items() if entry["decision"].get("by") != CLOCK}
    refused = [key for key, decision in given.items() if decision["type"] in ("reject", "respond")]
    if f"{result.step}.after" in refused and result.status == "failed":
        return 0.0
    if result.status != "done":
        return None
    return 0.0 if outcome.quality is not None and RESULT in refused and not outcome.success else outcome.quality


def _has_choice(step: Step, state: State, run: Run) -> bool:
    """Return whether anybody else may do a step. The tool of a step does the same whoever lends its permission."""
    if step.tool or step.agent not in _names(run):
        return False
    return _on_trial(step, state, run)[0] != step.agent or len(interchangeable(run.services.team, step.agent)) > 1


async def _chosen(step: Step, state: State, run: Run) -> JsonDict:
    team, kind = run.services.team, _kind(step, state, run)
    agent, trial = _on_trial(step, state, run)
    candidates = [candidate(specialist) for specialist in await _given(step, interchangeable(team, agent), run)]
    names = [c.name for c in candidates]
    if trial is None and agent not in names:
        agent = names[0]
    if trial is not None:
        names = list(dict.fromkeys([*names, *(specialist.name for specialist in interchangeable(team, step.agent))]))
    entry = {"for": step.agent, "agent": agent, "fallbacks": [name for name in names if name != agent]}
    reason = f"trial {trial!r} gives it to {agent}" if trial else f"a trial promoted {agent}"
    chances, expected = chances_of(state.get("trials", {}).get(trial or "", {})), dict[str, float]()
    if trial is None and len(candidates) > 1:
        try:
            found = await run.services.delegator.select(
                kind, run.context.workspace, candidates=candidates, fallback=agent, goal=state["goal"]
            )
            entry |= {"agent": found.agent, "fallbacks": list(found.fallbacks)}
            reason, chances, expected = found.reason, dict(found.chances), dict(found.expected)
        except StorageAway:
            reason = f"outcomes cannot be read now, so {agent} does it as planned"
    run.emit(
        AgentSelected(
            step=step.id, agent=entry["agent"], fallbacks=entry["fallbacks"], kind=kind, reason=reason,
            chances=chances, expected=expected, trial=trial or "",
        )
    )  # fmt: skip
    return entry


async def _given(step: Step, specialists: Sequence[Specialist], run: Run) -> Sequence[Specialist]:
    """Return those with a resource that may be given the step's data, or everybody where nobody has one."""
    offers = [await offers_for(step, specialist.name, None, run) for specialist in specialists]
    pairs = zip(specialists, offers, strict=True)
    return [specialist for specialist, found in pairs if found.ranked or not found.refused] or specialists


def _on_trial(step: Step, state: State, run: Run) -> tuple[str, str | None]:
    """Return who does a step by the run's trials; a variant that has left the team does none."""
    agent, trial = agent_on_trial(step, state)
    return (agent, trial) if agent in _names(run) else (step.agent, None)


def _names(run: Run) -> set[str]:
    return {specialist.name for specialist in run.services.team.specialists}


def _kind(step: Step, state: State, run: Run) -> str:
    query = RouteDecision.model_validate(state["decision"]).kind
    return kind_of(query, interchangeable(run.services.team, step.agent))


def _excused(result: StepResult) -> bool:
    return result.failure is None or result.failure.code.startswith(_NOT_THEIRS)


async def _observe(told: Sequence[Told | None], state: State, run: Run) -> None:
    known = [each for each in told if each is not None]
    await run.services.delegator.observe_many(run.context.workspace, known, goal=state["goal"])


def _told(step: Step, tries: Sequence[StepResult], worth: float, state: State, run: Run) -> Told | None:
    """Return what came of giving a step to an agent, or None where the team file has lost it while the run waited."""
    specialist = next((s for s in run.services.team.specialists if s.name == tries[-1].agent), None)
    if specialist is None or step.agent not in _names(run):
        return None
    return Told(
        _kind(step, state, run),
        specialist.name,
        worth,
        seconds=sum(result.seconds for result in tries),
        cost=sum(dollars(specialist, result.usage) for result in tries),
    )
