"""What plug-ins are written against: the parts that a package can bring along, and how those of others stand.

    from understudy.plugins import Specialist, ToolDeclaration

Every name is loaded when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agents.contracts import Assignment as Assignment
    from agents.performers import Performer as Performer
    from agents.plugins import Plugin
    from agents.team import Specialist as Specialist
    from agents.tools.declaration import ToolDeclaration as ToolDeclaration
    from agents.tools.registry import ToolOutput as ToolOutput
    from domain.outcomes import Source as Source
    from domain.outcomes import StepResult as StepResult
    from domain.resources import Resource as Resource
    from evals.scoring.evidence import Evidence as Evidence
    from evals.scoring.expectations import Score as Score
    from memory.encoders import Loadable as Loadable

_PLACES = {
    "Assignment": "agents.contracts",
    "Evidence": "evals.scoring.evidence",
    "Loadable": "memory.encoders",
    "Performer": "agents.performers",
    "Resource": "domain.resources",
    "Score": "evals.scoring.expectations",
    "Source": "domain.outcomes",
    "Specialist": "agents.team",
    "StepResult": "domain.outcomes",
    "ToolDeclaration": "agents.tools.declaration",
    "ToolOutput": "agents.tools.registry",
}
__all__ = [*_PLACES, "listed"]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(_PLACES[name]), name)


def listed() -> "list[Plugin]":
    """Return every installed plug-in, loaded, by group and name, with the reason why one cannot be used."""
    from agents.plugins import GROUPS, installed

    return [_held_against(plugin) for group in GROUPS for plugin in installed(group)]


def _held_against(plugin: "Plugin") -> "Plugin":
    """Return a plug-in; a notifier for a scheme that apprise has gets nothing to send, and says so."""
    if plugin.group != "notifiers" or plugin.problem:
        return plugin
    from apprise import NotificationManager

    schemas: list[str] = NotificationManager().schemas()  # type: ignore[no-untyped-call]  # apprise leaves it untyped
    if plugin.name not in schemas:
        return plugin
    return plugin._replace(value=None, problem="the name is that of a built-in part, which stays")
