"""Trials in a run: which variant it gets, decided once when it is routed, and what came of it."""

from typing import NamedTuple

from agents.delegation.variants import plan_along, sequence_of
from agents.planning.repair import Means, repaired
from domain.errors import StorageAway
from domain.events import TrialAssigned
from domain.outcomes import Outcome, StepResult
from domain.plans import Plan, Step
from graph.context import Run
from graph.lacking import lacking_here
from graph.renewal import renewed
from graph.rules import problems_of
from graph.state import JsonDict, State, plan_of, results_of


class Taken(NamedTuple):
    """The plan that a run takes, and what the state notes of it."""

    plan: Plan
    recalled: Plan | None
    """What of it came out of memory in place of the given plan."""
    update: JsonDict


class _Varied(NamedTuple):
    plan: Plan
    recalled: Plan | None


async def drawn(run: Run) -> JsonDict:
    """Return what the trials of the team give this run, by name.

    It is written into the state before the run is routed, so a run keeps its variants even if a trial ends meanwhile.
    """
    try:
        trials = await run.services.trials.all(run.context.workspace)
    except StorageAway:
        return {}
    return {
        trial.name: {
            "of": trial.of,
            "control": trial.control,
            "challenger": trial.challenger,
            "variant": trial.variant(run.run),
            "share": trial.share,
            "counts": trial.state == "running",
            "taken": False,
        }
        for trial in trials
        if trial.team == run.services.team.name and trial.state != "stopped"
    }


async def along_trials(plan: Plan, state: State, run: Run) -> Taken:
    """Return the plan along the sequence that the run's trials give it, where they concern the plan's own.

    A running trial concerns both of its sequences, so that what memory learns meanwhile does not mix them. A run takes
    part with the first plan that is fit to run; what replaces that plan later is a consequence of it.
    """
    trials: dict[str, JsonDict] = dict(state.get("trials", {}))
    if state.get("replans") or state.get("stretches") or any(trial["taken"] for trial in trials.values()):
        return Taken(plan, None, {})
    taken = _Varied(plan, None)
    for name, trial in trials.items():
        sequence = sequence_of(taken.plan)
        if trial["of"] != "sequences" or sequence not in _concerned(trial):
            continue
        variant = taken if sequence == trial["variant"] else await _varied(taken.plan, trial["variant"], state, run)
        if variant is None:
            continue
        taken = variant
        trials[name] = trial | {"taken": True}
        reason = "this run is in its share of the trial" if trial["counts"] else "the trial promoted it"
        run.emit(TrialAssigned(trial=name, variant=trial["variant"], reason=reason, chances=chances_of(trial)))
    return Taken(*taken, {"trials": trials})


def _concerned(trial: JsonDict) -> tuple[str, ...]:
    return (trial["control"], trial["challenger"]) if trial["counts"] else (trial["control"],)


async def _varied(plan: Plan, sequence: str, state: State, run: Run) -> _Varied | None:
    """Return a plan along another sequence that ends in the same deliveries, or None where none can run here."""
    services, goal = run.services, state["goal"]
    try:
        other = await plan_along(sequence, goal, services.team, services.memory, run.context.workspace)
    except StorageAway:
        return None
    if other is None:
        return None
    kept = {"source": plan.source, "confidence": plan.confidence, "rationale": f"a trial gives this run {sequence}"}
    ends = [step for step in plan.steps if step.delivers]
    varied = other.model_copy(update={"steps": [*other.steps, *ends], **kept})
    varied = repaired(varied, Means(services.team, services.tools)).plan
    if _loses(varied, plan, goal, run) or await problems_of(varied, state, run):
        return None
    return _Varied(await renewed(varied, services.tools, goal=goal), other if other.source == "memory" else None)


def _loses(varied: Plan, plan: Plan, goal: str, run: Run) -> bool:
    """Return whether a plan lacks an effect that the goal calls for and another plan has."""
    return not set(lacking_here(run, goal, varied, ())) <= set(lacking_here(run, goal, plan, ()))


def chances_of(trial: JsonDict) -> dict[str, float]:
    """Return how probable each variant of a running trial is for a run; nothing where it is over, or not known."""
    if not trial.get("counts") or "share" not in trial:
        return {}
    return {trial["control"]: 1 - trial["share"], trial["challenger"]: trial["share"]}


def agent_on_trial(step: Step, state: State) -> tuple[str, str | None]:
    """Return who does a step by the run's trials of agents, and the name of the trial that fixes it, if one runs."""
    agent = step.agent
    for name, trial in state.get("trials", {}).items():
        if trial["of"] == "agents" and agent == trial["control"]:
            agent = trial["variant"]
            if trial["counts"]:
                return agent, name
    return agent, None


async def observe_trials(state: State, run: Run, outcome: Outcome) -> None:
    """Tell the run's trials what came of it; each counts a run once. Raises `StorageAway`."""
    for name, trial in state.get("trials", {}).items():
        if trial["counts"] and (worth := _worth(trial, name, state, outcome)) is not None:
            await run.services.trials.observe(run.context.workspace, name, run.run, worth)


def _worth(trial: JsonDict, name: str, state: State, outcome: Outcome) -> float | None:
    """Return what the variant achieved, 0..1, or None where it had no part in the run."""
    quality = (1.0 if outcome.quality is None else outcome.quality) if outcome.success else 0.0
    if trial["of"] == "sequences":
        return quality if trial["taken"] else None
    done = [_done(result, trial) for step, result in _results(state) if agent_on_trial(step, state)[1] == name]
    return quality * sum(done) / len(done) if done else None


def _done(result: StepResult, trial: JsonDict) -> bool:
    return result.status == "done" and result.agent == trial["variant"]


def _results(state: State) -> list[tuple[Step, StepResult]]:
    """Return the steps that agents worked on, with what came of them."""
    results = results_of(state)
    pairs = [(step, results[step.id]) for step in plan_of(state).steps if step.id in results and not step.tool]
    return [(step, result) for step, result in pairs if result.status in ("done", "failed") or result.attempts > 1]
