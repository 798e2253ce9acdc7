"""Which specialist may do another one's steps."""

from collections.abc import Collection, Mapping

from agents.team import Specialist, Team


def hindrance(name: str, other: str, tools: Mapping[str, Collection[str]], stages: Collection[str | None]) -> str:
    """Return why `other` may not do the steps of `name`, in words; empty where it may.

    A step is planned, checked and approved for the one that it names. So whoever does it instead has every tool that
    the step may rely on, and no checkpoint of its own that would be walked around.

    Args:
        name: Whom the step names.
        other: Who would do it.
        tools: Tools by specialist.
        stages: The specialists at which a checkpoint stands.
    """
    if name == other:
        return f"{name!r} is the same specialist"
    if lacking := sorted(set(tools[name]) - set(tools[other])):
        return f"{other!r} lacks {', '.join(map(repr, lacking))}, which {name!r} may use"
    if other in stages:
        return f"a checkpoint stands at {other!r}, which its steps for {name!r} would not pass"
    return ""


def hindrance_in(team: Team, name: str, other: str) -> str:
    """Return the same for two specialists of a team, or raise `UnknownAgent`."""
    pair = team.specialist(name), team.specialist(other)
    return hindrance(name, other, {s.name: s.tools for s in pair}, {c.stage for c in team.checkpoints})


def interchangeable(team: Team, name: str) -> list[Specialist]:
    """Return the specialist and its alternatives that may do its steps, in the team file's order.

    Raises:
        UnknownAgent: The team has no specialist of this name.
    """
    own = team.specialist(name)
    known = {specialist.name: specialist for specialist in team.specialists}
    others = [known[other] for other in own.alternatives if other in known and not hindrance_in(team, name, other)]
    return [own, *others]
