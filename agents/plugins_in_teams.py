"""What a team takes of plug-ins: specialists and resources that it names, and tools that somebody of it may call."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from agents.performers import Performer
from agents.plugins import Group, Plugin, installed, usable
from agents.team_references import TOOL_EFFECTS
from agents.team_schema import Mistake, TeamSource, suggestion

_SECTIONS: tuple[tuple[Group, str], ...] = (("agents", "specialists"), ("resources", "resources"))


class Joined(NamedTuple):
    """A team file together with what plug-ins bring."""

    source: TeamSource
    mistakes: list[Mistake]


def joined(source: TeamSource) -> Joined:
    """Return a team file with the tables of the plug-ins that it names; one that names none is not touched.

    Tools that the file itself declares, and built-in ones, come before those of plug-ins.
    """
    data, mistakes = dict(source.data), []
    names = data.get("plugins")
    for place, name in enumerate(names if isinstance(names, list) else ()):
        tables = [(section, _table(value)) for section, value in _called(name)]
        for section, table in tables:
            data[section] = [*_list(data, section), table]
        if not tables:
            mistakes.append(source.mistake(("plugins", place), f"'plugins': {_missing(name)}"))
    wanted = _foreign_tools(data)
    if wanted:
        found = usable("tools")
        data["tools"] = [*_list(data, "tools"), *(_table(found[name]) for name in wanted if name in found)]
        broken = [p for p in installed("tools") if p.name in wanted and p.name not in found]
        mistakes += [source.mistake(("specialists",), str(plugin)) for plugin in broken]
    return Joined(TeamSource(data, source.lines), mistakes)


def performers_of(names: Iterable[str]) -> dict[str, Performer]:
    """Return those of a team's plug-ins that do their steps by code of their own."""
    wanted = set(names)
    found = usable("agents") if wanted else {}
    return {name: value for name, value in found.items() if name in wanted and isinstance(value, Performer)}


def _called(name: object) -> Iterator[tuple[str, Any]]:
    for group, section in _SECTIONS:
        if isinstance(name, str) and name in (found := usable(group)):
            yield section, found[name]


def _missing(name: object) -> str:
    """Return why nothing joins the team under a name."""
    plugins: list[Plugin] = [plugin for group, _ in _SECTIONS for plugin in installed(group)]
    for plugin in plugins:
        if plugin.name == name:
            return str(plugin)
    known = sorted({plugin.name for plugin in plugins if not plugin.problem})
    return f"no specialist or resource of a plug-in is called {name!r:.60}{suggestion(name, known)}"


def _table(value: Any) -> dict[str, Any]:
    """Return a part as the table that a team file would have for it."""
    model = value.specialist if isinstance(value, Performer) else value
    table: dict[str, Any] = model.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return table


def _foreign_tools(data: Mapping[str, Any]) -> list[str]:
    """Return the tools that the team names, and that are neither built in nor declared in its file."""
    declared = {table.get("name") for table in _tables(data, "tools")}
    named = [tool for specialist in _tables(data, "specialists") for tool in _list(specialist, "tools")]
    named += [resource.get("uses") for resource in _tables(data, "resources") if resource.get("kind") != "model"]
    texts = dict.fromkeys(name for name in named if isinstance(name, str))
    return [name for name in texts if name not in declared and name not in TOOL_EFFECTS]


def _list(table: Mapping[str, Any], key: str) -> list[Any]:
    value = table.get(key)
    return value if isinstance(value, list) else []


def _tables(data: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    return [item for item in _list(data, key) if isinstance(item, dict)]
