"""How a remembered task is named on the command line."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memory.tasks import TaskRecord

SHORT = 12
"""Characters of a task's id that tables show; any unique beginning names a task."""


def named(beginning: str, records: "Sequence[TaskRecord]") -> "TaskRecord":
    """Return the one task whose id begins like this, or raise `UnknownTask`."""
    from domain.errors import UnknownTask

    found = [record for record in records if record.id.startswith(beginning)]
    if beginning and len(found) == 1:
        return found[0]
    msg = f"{beginning!r:.60} names {len(found)} tasks; `understudy memory list` shows their ids"
    raise UnknownTask(msg)
