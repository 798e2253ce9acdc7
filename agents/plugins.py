"""Plug-ins: parts that other packages bring along, found by their entry points; none is loaded before it is wanted.

What a plug-in's code raises ends here. One that cannot be loaded, or whose name is taken, is named with the reason, and
everything else works. A built-in part is never replaced.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal, NamedTuple, TypeVar, get_args

from agents.performers import Performer
from agents.team import Specialist
from agents.team_references import TOOL_EFFECTS
from agents.tools.declaration import ToolDeclaration
from domain.errors import InvalidPlugin
from domain.resources import Resource
from memory.encoders import ENCODERS, Loadable

T = TypeVar("T")

Group = Literal["agents", "tools", "encoders", "metrics", "notifiers", "resources"]
GROUPS: tuple[Group, ...] = get_args(Group)
PREFIX = "understudy."
"""Before the group in the name of an entry point's group."""
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_BUILT_IN: Mapping[Group, Collection[str]] = {"tools": TOOL_EFFECTS, "encoders": ENCODERS}
_WANTED: Mapping[Group, tuple[tuple[type, ...], str]] = {
    "agents": ((Specialist, Performer), "a Specialist or a Performer"),
    "tools": ((ToolDeclaration,), "a ToolDeclaration"),
    "encoders": ((Loadable,), "a Loadable"),
    "resources": ((Resource,), "a Resource"),
}
"""What an entry point must name; in the other groups a function."""


class Plugin(NamedTuple):
    """One entry point and what became of it."""

    group: Group
    name: str
    package: str
    """Which brings it, with its version."""
    value: Any = None
    """None where there is a problem."""
    problem: str = ""
    """Why it cannot be used, in words."""

    def __str__(self) -> str:
        return f"plug-in {self.name!r} of {self.package} ({self.group}): {self.problem or 'ok'}"


@cache
def installed(group: Group) -> tuple[Plugin, ...]:
    """Return the plug-ins of a group by name, loaded; the first time it reads what packages are installed."""
    return loaded(group, entry_points(group=PREFIX + group))


def loaded(group: Group, found: Iterable[EntryPoint]) -> tuple[Plugin, ...]:
    """Return entry points as plug-ins; of several with one name the first package, by its name, has it."""
    plugins: list[Plugin] = []
    by: dict[str, str] = {}
    for point in sorted(found, key=lambda each: (each.name, _package(each))):
        plugin = _loaded(group, point)
        if point.name in by:
            plugin = plugin._replace(value=None, problem=f"the name is taken by {by[point.name]}")
        by.setdefault(point.name, plugin.package)
        plugins.append(plugin)
    return tuple(plugins)


def usable(group: Group) -> dict[str, Any]:
    """Return the plug-ins of a group that can be used."""
    return {plugin.name: plugin.value for plugin in installed(group) if not plugin.problem}


def required(group: Group, name: str) -> Any:
    """Return a plug-in's value.

    Raises:
        InvalidPlugin: None is called so, or it cannot be used.
    """
    found = [plugin for plugin in installed(group) if plugin.name == name]
    for plugin in found:
        if not plugin.problem:
            return plugin.value
    if found:
        raise InvalidPlugin(str(found[0]))
    names = ", ".join(usable(group)) or "none"
    msg = f"no plug-in of the group {group!r} is called {name!r:.80}; installed: {names}"
    raise InvalidPlugin(msg)


def guarded(name: str, work: Callable[[], T]) -> T:
    """Return what a plug-in's code gives.

    Raises:
        InvalidPlugin: It raised something; `SystemExit` included.
    """
    try:
        return work()
    except (Exception, SystemExit) as error:  # code of somebody else
        msg = f"{name} broke down: {type(error).__name__}: {error!s:.300}"
        raise InvalidPlugin(msg) from error


def _loaded(group: Group, point: EntryPoint) -> Plugin:
    plugin = Plugin(group, point.name, _package(point))
    if not _NAME.fullmatch(point.name):
        return plugin._replace(problem="a name is a-z, 0-9, _ and -, a letter first, at most 40")
    if point.name in _BUILT_IN.get(group, ()):
        return plugin._replace(problem="the name is that of a built-in part, which stays")
    try:
        value = guarded("loading it", point.load)
    except InvalidPlugin as error:
        return plugin._replace(problem=str(error))
    problem = _unfit(group, point.name, value)
    return plugin._replace(problem=problem) if problem else plugin._replace(value=value)


def _unfit(group: Group, name: str, value: Any) -> str:
    """Return why a value is none for its group, or nothing."""
    if group not in _WANTED:
        return "" if callable(value) else f"it names {_kind(value)}, not a function"
    kinds, wanted = _WANTED[group]
    if not isinstance(value, kinds):
        return f"it names {_kind(value)}, not {wanted}"
    own = getattr(value, "name", name)
    return "" if own == name else f"what it names is called {own!r:.60}"


def _kind(value: Any) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else f"a {type(value).__name__}"


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown package"
