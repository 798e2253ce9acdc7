"""The variants of a trial: two agents that can stand in for each other, or two sequences that there is a plan for."""

import re

from agents.rules.templates import worded
from agents.standing_in import hindrance_in
from agents.team import Team
from domain.errors import InvalidTrial
from domain.nesting import flattened
from domain.plans import Plan
from memory.rewording import reworded, stale_arguments
from memory.tasks import TaskMemory, TaskRecord

_ARROW = re.compile(r"\s*(?:>|,|→)\s*")


def named_sequence(text: str) -> str:
    """Return a sequence as trials name it: its agents joined by `>`; `,` and `→` may stand between them, too."""
    return ">".join(part for part in _ARROW.split(text.strip()) if part)


def sequence_of(plan: Plan) -> str:
    """Return a plan's agents in that form, consecutive repeats merged.

    Steps that deliver the final draft are left out, since whether there are any depends on where the run takes place,
    and so are those that only join a nested plan.
    """
    agents = [step.agent for step in plan.steps if not step.delivers and not step.joins]
    return ">".join(agent for i, agent in enumerate(agents) if i == 0 or agents[i - 1] != agent)


def check_agents(team: Team, control: str, challenger: str) -> None:
    """Let two agents pass that a trial can compare.

    Raises:
        UnknownAgent: The team lacks one of them.
        InvalidTrial: The challenger may not do the control's steps.
    """
    team.specialist(control)
    team.specialist(challenger)
    if control != challenger and (why := hindrance_in(team, control, challenger)):
        msg = f"{challenger!r} cannot do the steps of {control!r}: {why}"
        raise InvalidTrial(msg)


async def check_sequences(team: Team, memory: TaskMemory, workspace: str, *sequences: str) -> None:
    """Let sequences pass that runs can take.

    Raises:
        UnknownAgent: The team lacks one of their agents.
        InvalidTrial: Neither a template of the team nor a task that succeeded in the workspace has the sequence.
    """
    for sequence in sequences:
        for agent in sequence.split(">"):
            team.specialist(agent)
        if await plan_along(sequence, "", team, memory, workspace) is None:
            msg = f"nobody knows how to take the sequence {sequence}: no template and no task that succeeded has it"
            raise InvalidTrial(msg)


async def plan_along(sequence: str, goal: str, team: Team, memory: TaskMemory, workspace: str) -> Plan | None:
    """Return a plan for a goal along a sequence, without steps that deliver, or None where nobody knows one.

    A template of the team comes first, then the latest task that succeeded and whose plan fits the goal.
    """
    for template in team.templates:
        plan = _undelivered(flattened(Plan(steps=list(template.steps))))
        if plan and sequence_of(plan) == sequence:
            return plan.model_copy(update={"steps": worded(plan.steps, goal)})
    found = (_reused(task, sequence, goal) for task in await memory.list(workspace) if task.team == team.name)
    return next((plan for plan in found if plan), None)


def _reused(task: TaskRecord, sequence: str, goal: str) -> Plan | None:
    if task.plan is None or not task.successes or sequence_of(task.plan) != sequence:
        return None
    plan = reworded(task.plan, task.goal, goal) if goal else task.plan
    return None if goal and stale_arguments(plan, task.goal, goal) else _undelivered(plan)


def _undelivered(plan: Plan) -> Plan | None:
    steps = [step for step in plan.steps if not step.delivers]
    return plan.model_copy(update={"steps": steps}) if steps else None
