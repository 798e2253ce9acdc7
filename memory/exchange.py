"""Exchange: the tasks of a workspace as JSON lines, to keep elsewhere or to give to another memory."""

import json
from collections.abc import Sequence

from pydantic import ValidationError

from domain.errors import InvalidImport
from memory.task_record import TaskRecord, goal_hash
from memory.tasks import TaskMemory
from memory.workspaces import checked_workspace

FORMAT = 1
"""Version of the lines; another one is refused."""
_OWN = {"id", "workspace", "ratings", "origin", "user"}
"""Fields that belong to the memory a task was exported from."""
_SHOWN = 10


async def exported(tasks: TaskMemory, workspace: str) -> list[str]:
    """Return one JSON object a task, the latest first; no user, rating or workspace name leaves with it."""
    records = await tasks.list(workspace)
    values = [record.model_dump(mode="json", exclude=_OWN) for record in records]
    return [json.dumps({"format": FORMAT, **value}, sort_keys=True, ensure_ascii=False) for value in values]


async def imported(tasks: TaskMemory, workspace: str, lines: Sequence[str]) -> int:
    """Add exported tasks to a workspace and return how many; those of runs that are known already are passed over.

    They are marked as imported: what their plans would write is asked about before it is written. Their age starts
    anew, and so does what people thought of them.

    Raises:
        InvalidImport: A line cannot be read; nothing was taken in. The message names each such line.
    """
    checked_workspace(workspace)
    parsed = [(number, _parsed(line, workspace)) for number, line in enumerate(lines, start=1) if line.strip()]
    mistakes = [f"line {number}: {found}" for number, found in parsed if isinstance(found, str)]
    if mistakes:
        more = f" (and {len(mistakes) - _SHOWN} more)" if len(mistakes) > _SHOWN else ""
        raise InvalidImport("; ".join(mistakes[:_SHOWN]) + more)
    new = [record for _, record in parsed if isinstance(record, TaskRecord) and await _is_new(tasks, record)]
    await tasks.remember_many(workspace, new)
    return len(new)


def _parsed(line: str, workspace: str) -> TaskRecord | str:
    """Return the task of a line, or what is wrong with it."""
    try:
        value = json.loads(line)
        if not isinstance(value, dict) or value.pop("format", None) != FORMAT:
            return f"this is no task of format {FORMAT}"
        if own := sorted(_OWN & value.keys()):
            return f"{', '.join(own)} cannot be imported"
        return TaskRecord.model_validate(value | {"workspace": workspace, "origin": "import"})
    except ValidationError as error:
        return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
    except (ValueError, RecursionError) as error:
        return f"it is not JSON ({error})"


async def _is_new(tasks: TaskMemory, record: TaskRecord) -> bool:
    known = await tasks.get(record.workspace, goal_hash(record.team, record.goal, record.sequence))
    if known is None:
        return True
    same_counts = (known.successes, known.failures) == (record.successes, record.failures)
    return known.run != record.run or (not record.run and not same_counts)
