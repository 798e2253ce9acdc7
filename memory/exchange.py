"""Exchange: the tasks of a workspace as JSON lines, to keep elsewhere or to give to another memory."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from pydantic import ValidationError

from domain.errors import InvalidGoal, InvalidImport
from domain.goals import checked_goal
from domain.mistakes import mistakes_in
from domain.redaction import redacted_value
from memory.task_record import TaskRecord, goal_hash
from memory.tasks import TaskMemory
from memory.workspaces import checked_workspace

FORMAT = 1
"""Version of the lines; another one is refused."""
_OWN = {"id", "workspace", "ratings", "origin", "user"}
"""Fields that belong to the memory a task was exported from."""
_WORDS = ("goal", "plan", "error")
"""Fields that hold words of people, documents and tools."""
MAX_RUNS = 1_000_000
"""Runs of one task that an import may claim; nobody runs more in the time that a task is remembered."""
_SHOWN = 10
_BATCH = 500


class Imported(NamedTuple):
    """What became of the tasks of an import."""

    taken: int
    known: int
    """Of runs that were known already."""
    outlived: int
    """Last run so long ago that they would be forgotten by now."""


async def exported(tasks: TaskMemory, workspace: str, *, unredacted: bool = False) -> list[str]:
    """Return one JSON object a task, the latest first; no user, rating or workspace name leaves with it.

    Keys, accounts and addresses are taken out of goals, plans and errors, and cannot be put back. What is left can be
    imported: the same goal with the same route, whose steps name `[email]` where they named an address, so such a step
    fails or is asked about before it does anything. A backup of one's own memory is made `unredacted`.
    """
    records = await tasks.list(workspace)
    values = [record.model_dump(mode="json", exclude=_OWN) for record in records]
    if not unredacted:
        values = [value | {name: redacted_value(value[name]) for name in _WORDS} for value in values]
    return [json.dumps({"format": FORMAT, **value}, sort_keys=True, ensure_ascii=False) for value in values]


async def imported(tasks: TaskMemory, workspace: str, lines: Sequence[str]) -> Imported:
    """Add exported tasks to a workspace; those of runs that are known already, or past their time, are passed over.

    They are marked as imported: what their plans would write is asked about before it is written. They keep their age,
    and are forgotten when they would have been where they come from. What people thought of them starts anew.

    Raises:
        InvalidImport: A line cannot be read; nothing was taken in. The message names each such line.
    """
    checked_workspace(workspace)
    parsed = [(number, _parsed(line, workspace)) for number, line in enumerate(lines, start=1) if line.strip()]
    mistakes = [f"line {number}: {found}" for number, found in parsed if isinstance(found, str)]
    if mistakes:
        more = f" (and {len(mistakes) - _SHOWN} more)" if len(mistakes) > _SHOWN else ""
        raise InvalidImport("; ".join(mistakes[:_SHOWN]) + more)
    records = [record for _, record in parsed if isinstance(record, TaskRecord)]
    new = [record for i in range(0, len(records), _BATCH) for record in await _new(tasks, records[i : i + _BATCH])]
    taken = await tasks.adopt(workspace, new)
    return Imported(taken, known=len(records) - len(new), outlived=len(new) - taken)


def _parsed(line: str, workspace: str) -> TaskRecord | str:
    """Return the task of a line, or what is wrong with it."""
    try:
        value = json.loads(line)
        if not isinstance(value, dict) or value.pop("format", None) != FORMAT:
            return f"this is no task of format {FORMAT}"
        if own := sorted(_OWN & value.keys()):
            return f"{', '.join(own)} cannot be imported"
        json.dumps(value, ensure_ascii=False).encode()  # half a character could be stored, but never be compared
        record = TaskRecord.model_validate(value | {"workspace": workspace, "origin": "import"})
        return _mistake(record) or record
    except ValidationError as error:
        return mistakes_in(error)
    except (ValueError, RecursionError) as error:
        return f"it is not JSON of whole characters ({error})"


def _mistake(record: TaskRecord) -> str:
    """Return what no memory could have exported, or an empty text."""
    try:
        checked_goal(record.goal)
    except InvalidGoal as error:
        return f"goal: {error}"
    if max(record.successes, record.failures) > MAX_RUNS:
        return f"successes, failures: a task has at most {MAX_RUNS:,} runs"
    if record.plan and record.plan.sequence != record.sequence:
        return "sequence: it is not that of the plan"
    return ""


async def _new(tasks: TaskMemory, records: Sequence[TaskRecord]) -> list[TaskRecord]:
    ids = [goal_hash(record.team, record.goal, record.sequence) for record in records]
    known = await tasks.get_many(records[0].workspace, ids)
    return [record for record, there in zip(records, known, strict=True) if _is_new(record, there)]


def _is_new(record: TaskRecord, known: TaskRecord | None) -> bool:
    if known is None:
        return True
    same_counts = (known.successes, known.failures) == (record.successes, record.failures)
    return known.run != record.run or (not record.run and not same_counts)
