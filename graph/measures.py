"""What checkpoints are held against, measured where the run stands; what cannot be measured is left out, so it asks."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from agents.contracts import CritiqueRequest
from agents.tools.registry import Tool
from domain.decisions import kind_of
from domain.errors import StorageAway
from domain.outcomes import Critique, Draft, StepResult
from domain.plans import Plan, Privacy, Step, as_ref
from domain.privacy import as_private_as_read, most_private
from domain.risk import Reversibility, Risk, risk_of
from domain.targets import MONEY_NAMES, RECIPIENT_NAMES, money_in, recipients_in
from graph.context import Run
from graph.privacy import cast_for
from graph.requests import request_of
from graph.state import State, plan_of

Names = Collection[str]
"""Names of `domain.measures.MeasureName`."""
_Measure = Callable[[], Awaitable[Any]]


async def measured(step: Step, args: Mapping[str, Any], state: State, run: Run, *, names: Names) -> dict[str, Any]:
    """Return the measures of a step that is about to start.

    Args:
        step: The step, as private as what it reads.
        args: Its arguments, resolved.
        state: The run's state.
        run: The run.
        names: What is wanted; nothing else is looked for.
    """

    async def novelty() -> float | None:
        return await novelty_of(step.tool or "perform_step", args, run)

    async def risk() -> float:
        return (await step_risk(step, args, run)).score

    return await _known(
        {
            "quality": _given(state.get("critique", {}).get("score")),
            "confidence": _given(plan_of(state).confidence if state.get("plan") else None),
            "success_rate": lambda: _success_rate([step.agent], run),
            "novelty": novelty,
            "cost": _given(expected_dollars(step, run)),
            "amount": _given(money_in(args)),
            "recipients": _given(len(set(recipients_in(args)))),
            "risk": risk,
            "privacy": _given(step.privacy),
            "tool": _given(step.tool or "none"),
            "agent": _given(step.agent),
            "effect": _given(step.effect),
            "undoable": _given(undoable([step], run)),
        },
        names,
    )


async def measured_output(
    step: Step, result: StepResult, inputs: Sequence[StepResult], state: State, run: Run, *, names: Names
) -> dict[str, Any]:
    """Return the measures of a step's output; its quality is how well it does its task, says the critic.

    Args:
        step: The step.
        result: What it gave.
        inputs: The results that it read.
        state: The run's state.
        run: The run.
        names: What is wanted.
    """

    async def quality() -> float:
        critique = await cast_for(plan_of(state), [*inputs, result], run).critic(
            CritiqueRequest(
                **vars(request_of(state, run, run.emit)) | {"goal": step.task},
                draft=Draft(text=result.text, by=result.agent),
                results=[*inputs, evidence_of(step, result)],
                quality=run.services.team.quality,
            )
        )
        return critique.score

    return await _known(
        {
            "quality": quality,
            "confidence": _given(result.confidence),
            "success_rate": lambda: _success_rate([step.agent], run),
            "privacy": _given(step.privacy),
            "tool": _given(step.tool or "none"),
            "agent": _given(step.agent),
            "effect": _given(step.effect),
        },
        names,
    )


def evidence_of(step: Step, result: StepResult) -> StepResult:
    """Return what a step's own words may be held against: what its tools gave. A tool's output stands for itself."""
    return result if step.tool else result.model_copy(update={"text": ""})


async def measured_plan(plan: Plan, run: Run, *, names: Names) -> dict[str, Any]:
    """Return the measures of a plan that is about to run; its risk and privacy are those of its worst step."""

    async def risk() -> float:
        return max([(await step_risk(step, step.args, run)).score for step in plan.steps])

    return await _known(
        {
            "confidence": _given(plan.confidence),
            "success_rate": lambda: _success_rate(plan.sequence, run),
            "cost": _given(plan.estimates.get("dollars")),
            **_of_steps(plan),
            "risk": risk,
            "undoable": _given(undoable(plan.steps, run)),
        },
        names,
    )


async def measured_result(critique: Critique, plan: Plan, run: Run, *, names: Names) -> dict[str, Any]:
    """Return the measures of the final draft."""
    return await _known(
        {
            "quality": _given(critique.score),
            "confidence": _given(plan.confidence),
            "success_rate": lambda: _success_rate(plan.sequence, run),
            **_of_steps(plan),
        },
        names,
    )


def _of_steps(plan: Plan) -> dict[str, _Measure]:
    working = [step for step in plan.steps if not step.joins]
    return {
        "steps": _given(len(working)),
        "writes": _given(sum(step.effect == "write" for step in working)),
        "privacy": _given(plan_privacy(plan)),
    }


def plan_privacy(plan: Plan) -> Privacy:
    """Return the most private class of data that a plan handles."""
    return most_private(step.privacy for step in as_private_as_read(plan).steps)


async def _known(measures: Mapping[str, _Measure], names: Names) -> dict[str, Any]:
    found = {name: await measure() for name, measure in measures.items() if name in names}
    return {name: value for name, value in found.items() if value is not None}


def _given(value: Any) -> _Measure:
    async def known() -> Any:
        return value

    return known


async def _success_rate(agents: Iterable[str], run: Run) -> float | None:
    """Return the lowest success rate of the agents; None where one of them has none."""
    rates = [await run.services.memory.success_rate(run.context.workspace, agent) for agent in set(agents)]
    known = [rate for rate in rates if rate is not None]
    return min(known) if known and len(known) == len(rates) else None


async def novelty_of(tool: str, args: Mapping[str, Any], run: Run) -> float | None:
    """Return how unlike what people have approved before an act is, 0-1: 1 / (1 + approvals of its kind).

    Only what a person let pass as it was proposed counts, and nothing that failed or was undone. None while nobody can
    tell.
    """
    try:
        past = await run.services.lessons.decisions.of_kind(run.context.workspace, kind_of(tool, args))
    except StorageAway:
        return None
    good = [d for d in past if d.unedited and d.by != "timeout" and d.outcome in ("open", "done")]
    return 1 / (1 + len(good))


async def step_risk(step: Step, args: Mapping[str, Any], run: Run) -> Risk:
    """Return the risk of a step; arguments that are still to come from other steps count as the worst."""
    unknown = {name.casefold() for name, value in args.items() if as_ref(value) is not None}
    return risk_of(
        step.effect,
        reversibility_of(step, run),
        count=None if unknown & RECIPIENT_NAMES else len(set(recipients_in(args))),
        money=None if unknown & MONEY_NAMES else money_in(args),
        novelty=await novelty_of(step.tool or "perform_step", args, run) if step.effect == "write" else 0.0,
        privacy=step.privacy,
    )


def reversibility_of(step: Step, run: Run) -> Reversibility:
    """Return whether what a step changes can be taken back."""
    tool = _tool(step, run)
    if tool is None:
        return "unknown" if step.effect == "write" else "undoable"
    return "undoable" if tool.effect != "write" or tool.undo is not None else "irreversible"


def undoable(steps: Iterable[Step], run: Run) -> bool:
    """Return whether everything that steps change can be taken back; what changes nothing needs no undoing."""
    return all(reversibility_of(step, run) == "undoable" for step in steps)


def expected_dollars(step: Step, run: Run) -> float | None:
    """Return what a step is expected to cost in dollars: nothing for a tool, else what its specialist declares.

    None where a model works and nobody has declared anything.
    """
    if step.tool or run.services.cast.mode == "rules":
        return 0.0
    team = run.services.team
    declared = next((s.expected.dollars for s in team.specialists if s.name == step.agent), 0.0)
    return declared or None


def _tool(step: Step, run: Run) -> Tool | None:
    return run.services.tools.tools.get(step.tool or "")
