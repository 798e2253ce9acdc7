"""Where the parts of a workspace's audit are kept, and in which form."""

from domain.audit import Anchor, Link
from domain.errors import StorageCorrupt
from memory.records import Value
from memory.workspaces import checked_workspace


def head_key(workspace: str) -> str:
    """Return where the last entry of a workspace is."""
    return f"audit:{checked_workspace(workspace)}:head"


def place(workspace: str, seq: int) -> str:
    """Return where an entry is once there is a later one."""
    return f"{places(workspace)}{seq:012d}"


def places(workspace: str) -> str:
    """Return what the places of a workspace's entries begin with."""
    return f"audit:{checked_workspace(workspace)}:entry:"


def mark_key(workspace: str, mark: str) -> str:
    """Return where the number of an entry is that is noted only once."""
    return f"{marks(workspace)}{mark}"


def marks(workspace: str) -> str:
    """Return what the places of a workspace's marks begin with."""
    return f"audit:{checked_workspace(workspace)}:once:"


def tombstone_key(workspace: str) -> str:
    """Return where it stands up to which entry the audit was dropped."""
    return f"audit:{checked_workspace(workspace)}:dropped"


def tombstone(value: Value | None) -> Anchor:
    """Return the last entry that was dropped, or raise `StorageCorrupt`."""
    if value is None:
        return Anchor()
    if value.keys() != {"seq", "hash"} or type(value["seq"]) is not int or not isinstance(value["hash"], str):
        msg = "the audit's note of what was dropped cannot be read; see: understudy audit verify"
        raise StorageCorrupt(msg)
    return Anchor(**value)


def link_in(value: Value | None) -> Link | None:
    """Return the entry that is kept as a value, or raise `StorageCorrupt`."""
    if value is None:
        return None
    if value.keys() != {"text", "hash"} or not all(isinstance(part, str) for part in value.values()):
        msg = "an entry of the audit cannot be read; see: understudy audit verify"
        raise StorageCorrupt(msg)
    return Link(**value)


def stored(link: Link) -> Value:
    """Return an entry as it is kept."""
    return link._asdict()
