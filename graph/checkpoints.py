"""The checkpoints at a place of a run: found, held against what is measured there, and told about."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from domain.checkpoints import Checkpoint
from domain.errors import StorageAway, UnderstudyError
from domain.events import CheckpointPassed
from domain.hearing import Heard, Said
from domain.measures import COSTLY, Place
from domain.notices import checkpoint_notice
from domain.outcomes import Critique, StepResult
from domain.plans import Plan, Step
from domain.verdicts import CheckpointVerdict, evaluate, hinges_on
from graph.context import Run
from graph.delegating import agents_for
from graph.measures import Names, measured, measured_output, measured_plan, measured_result
from graph.state import State
from memory.checkpoints import Standing, unreadable

Measures = Callable[[Names], Awaitable[Mapping[str, Any]]]
"""Measures what is wanted, and nothing else."""


class Posted(NamedTuple):
    """A checkpoint that stands somewhere."""

    checkpoint: Checkpoint
    unreadable: bool = False
    """Whether it only stands in for one that cannot be read, or cannot be meant here."""


async def before_step(step: Step, args: Mapping[str, Any], state: State, run: Run, *, by: str = "") -> Heard:
    """Return what the checkpoints in front of a step say; nobody is told.

    Those of whom the plan names are heard, and those of who does it instead.

    Args:
        step: The step.
        args: Its arguments, resolved.
        state: The run's state.
        run: The run.
        by: Who does it; empty: whoever is to begin.
    """
    doer = step.model_copy(update={"agent": by or agents_for(step, state, run)[0]})

    async def measures(names: Names) -> Mapping[str, Any]:
        return await measured(doer, args, state, run, names=names)

    return await _heard("step", measures, run, (step.agent, doer.agent), writes=step.effect == "write")


async def stopped_at(step: Step, args: Mapping[str, Any], state: State, run: Run, *, by: str = "") -> set[str]:
    """Return the checkpoints in front of a step that do not let it pass by themselves, by name."""
    heard = await before_step(step, args, state, run, by=by)
    return {verdict.checkpoint for verdict in heard.verdicts if verdict.asks or verdict.status == "blocked"}


async def behind_step(step: Step, result: StepResult, inputs: Sequence[StepResult], state: State, run: Run) -> Heard:
    """Return what the checkpoints behind a step say of its output: those of whom the plan names, and of who did it.

    Args:
        step: The step.
        result: What it gave.
        inputs: The results that it read, which its output is held against.
        state: The run's state.
        run: The run.
    """
    done = step.model_copy(update={"agent": result.agent})

    async def measures(names: Names) -> Mapping[str, Any]:
        return await measured_output(done, result, inputs, state, run, names=names)

    return await _heard("output", measures, run, (step.agent, result.agent))


async def at_plan(plan: Plan, run: Run) -> Heard:
    """Return what the checkpoints say of a plan that is about to run."""

    async def measures(names: Names) -> Mapping[str, Any]:
        return await measured_plan(plan, run, names=names)

    return await _heard("plan", measures, run)


async def at_result(critique: Critique, plan: Plan, run: Run) -> Heard:
    """Return what the checkpoints say of the final draft."""

    async def measures(names: Names) -> Mapping[str, Any]:
        return await measured_result(critique, plan, run, names=names)

    return await _heard("result", measures, run)


async def announce(heard: Heard, place: str, run: Run) -> None:
    """Say which checkpoints let the run pass, and tell people where one notifies; a notice is told once.

    Args:
        heard: What the checkpoints said.
        place: The step, `plan` or `result`.
        run: The run.
    """
    for said in heard.said:
        verdict = said.verdict
        if verdict.status in ("auto_approved", "notified") and verdict.stands:
            run.emit(CheckpointPassed(checkpoint=verdict.checkpoint, reason=verdict.reason, rule=verdict.rule))
    for said in heard.notifying if run.services.notify is not None else ():
        notice = checkpoint_notice(
            workspace=run.context.workspace,
            run=run.run,
            checkpoint=said.checkpoint.name,
            step=place,
            reason=said.verdict.reason,
        )
        with suppress(UnderstudyError):  # the event says it, too
            await run.services.notify(notice)  # type: ignore[misc]  # looked at above


async def _heard(
    place: Place, measures: Measures, run: Run, agents: Sequence[str] = ("",), *, writes: bool = False
) -> Heard:
    posted = await posted_at(place, run, agents, writes=writes)
    wanted = {name for each in posted if each.checkpoint.enabled for name in each.checkpoint.measures}
    cheap, costly = wanted - COSTLY, wanted & COSTLY
    data = dict(await measures(cheap)) if cheap else {}
    undecided = [each.checkpoint for each in posted if not each.unreadable]
    if needed := {m for m in costly if any(hinges_on(c, m, data, user=run.context.user) for c in undecided)}:
        data |= await measures(needed)
    return Heard(tuple(Said(each.checkpoint, verdict_of(each, data, run.context.user)) for each in posted))


def verdict_of(posted: Posted, data: Mapping[str, Any], user: str) -> CheckpointVerdict:
    """Return what a checkpoint says; one that cannot be read wants a person.

    Args:
        posted: The checkpoint.
        data: What was measured.
        user: For whom the run works.
    """
    checkpoint = posted.checkpoint
    if not posted.unreadable:
        return evaluate(checkpoint, data, user=user)
    return CheckpointVerdict(
        checkpoint=checkpoint.name,
        status="pending_approval",
        rule="unreadable",
        reason="it cannot be evaluated",
        evaluated=False,
    )


async def posted_at(place: Place, run: Run, agents: Sequence[str] = ("",), *, writes: bool = False) -> list[Posted]:
    """Return the checkpoints of the team and of the workspace that stand at a place of one of these agents."""
    posted = [Posted(checkpoint) for checkpoint in run.services.team.checkpoints] + await _of_workspace(run)
    return [each for each in posted if any(each.checkpoint.stands_at(place, a, writes=writes) for a in agents)]


async def _of_workspace(run: Run) -> list[Posted]:
    """Return the workspace's checkpoints for this team; one that asks about every effect for what cannot be read."""
    if run.services.checkpoints is None:
        return []
    try:
        standing = await run.services.checkpoints.standing(run.context.workspace)
    except StorageAway:
        return [Posted(unreadable("workspace", "the checkpoints of this workspace cannot be read now"), True)]
    return usable(standing, run.services.team.name, [s.name for s in run.services.team.specialists])


def usable(standing: Sequence[Standing], team: str, specialists: Sequence[str]) -> list[Posted]:
    """Return the checkpoints of a workspace as they stand for a team.

    Args:
        standing: Those of the workspace.
        team: Name of the team.
        specialists: Names of its specialists.
    """
    posted = []
    for checkpoint, only, readable in standing:
        if not readable:
            posted.append(Posted(checkpoint, True))
        elif only not in ("", team):
            continue
        elif checkpoint.specialist not in (None, *specialists):
            why = f"it stands at {checkpoint.stage!r}, which the team {team!r} does not have"
            posted.append(Posted(unreadable(checkpoint.name, why), True))
        else:
            posted.append(Posted(checkpoint))
    return posted
