"""What a workspace knew before a task: put in place for a play, and taken from a workspace to be recorded."""

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from agents.tools.foreign import Confirmed, Definition
from domain.constraints import RULE
from domain.mistakes import mistakes_in
from evals.recording.task import Before, InvalidRecording
from memory.profiles import Profile
from memory.provenance import Provenance
from memory.task_record import TaskRecord
from understudy.wiring import House

_AUTHOR = Provenance(writer="person", user="recorded")
_TIMES = ("created", "updated")
_OWN = {"id", "workspace"}
"""Fields of a task that belong to the memory it is in."""


async def put_before(house: House, workspace: str, before: Before, started: float) -> None:
    """Have a workspace know what was known when a task began.

    Raises:
        InvalidRecording: Something does not fit; says what.
    """
    try:
        records = [_task(value, workspace, started) for value in before.tasks]
        rules = [RULE.validate_python(value) for value in before.rules]
        profile = Profile.model_validate(before.profile) if before.profile else None
    except ValidationError as error:
        raise InvalidRecording(f"before.json: {mistakes_in(error)}") from error
    if taken := await house.memory.adopt(workspace, records) - len(records):
        msg = f"before.json: {-taken} of its tasks are so old that they would be forgotten"
        raise InvalidRecording(msg)
    await house.memory.settle()
    if profile:
        await house.lessons.profiles.put(workspace, profile)
    for rule in rules:
        await house.constraints.propose(workspace, rule, _AUTHOR)
        await house.constraints.accept(workspace, rule.id, _AUTHOR)
    confirmed = Confirmed(house.records)
    for tool in before.tools:
        await confirmed.put(workspace, tool["target"], Definition(**tool["definition"]))


async def known_tools(house: House, workspace: str, team: str) -> list[dict[str, Any]]:
    """Return the definitions of a team's foreign tools that stand for a workspace."""
    confirmed, found = Confirmed(house.records), []
    for declared in (await house.team(team)).tools:
        definition = await confirmed.get(workspace, declared.target, declared.remote_name)
        if definition is not None:
            found.append({"target": declared.target, "definition": definition._asdict()})
    return found


async def before(house: House, workspace: str, team: str, started: float, runs: Iterable[str]) -> Before:
    """Return what a workspace knew at a time, as far as it still knows it.

    Args:
        house: What is open.
        workspace: Whose memory.
        team: Whose tools.
        started: Unix time in seconds.
        runs: Those of the task itself, which do not count.
    """
    own = set(runs)
    tasks = [task for task in await house.memory.list(workspace) if task.created < started and task.run not in own]
    profile = await house.lessons.profiles.get(workspace)
    policy = await house.constraints.active(workspace)
    return Before(
        tasks=[_kept(task, started) for task in tasks],
        profile=profile.model_dump(mode="json", exclude_defaults=True, exclude={"provenance"}),
        rules=[rule.model_dump(mode="json", exclude_defaults=True) for rule in policy.rules],
        tools=await known_tools(house, workspace, team),
    )


def _task(value: dict[str, Any], workspace: str, started: float) -> TaskRecord:
    dated = {name: started + float(value.get(name, 0.0)) for name in _TIMES}
    return TaskRecord.model_validate(value | dated | {"workspace": workspace})


def _kept(task: TaskRecord, started: float) -> dict[str, Any]:
    """Return a task as it is recorded: what it was learnt from later is not taken away, its age is."""
    dated = {name: min(0.0, round(getattr(task, name) - started, 3)) for name in _TIMES}
    return task.model_dump(mode="json", exclude_defaults=True, exclude=_OWN) | dated
