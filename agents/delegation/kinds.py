"""Kinds of steps, as outcomes are compared by them: the kind of query, and what the step adds to it."""

from collections.abc import Mapping, Sequence

from agents.team import Specialist
from domain.plans import QueryKind

_BETWEEN = "/"


def kind_of(query: QueryKind, agents: Sequence[Specialist]) -> str:
    """Return the kind of a step that any of these agents could do, such as `creation/blog_writing`.

    Its second part is the first capability of the agent that the step names which all others share, or else that
    agent's first, or its name where it declares none. A capability that is the query's kind says nothing more.

    Args:
        query: Kind of the run's goal.
        agents: The one that the step names first.
    """
    own = agents[0].capabilities or (agents[0].name,)
    shared = [c for c in own if all(c in other.capabilities for other in agents[1:])]
    capability = (shared or own)[0]
    return query if capability == query else f"{query}{_BETWEEN}{capability}"


def found_kind(name: str, seen: Mapping[str, int]) -> str:
    """Return the most frequent kind that a name is a part of, or the name itself where there is none.

    Args:
        name: A kind, a kind of query or a capability.
        seen: How often each kind was seen.
    """
    fitting = [kind for kind in seen if name in kind.split(_BETWEEN)]
    return name if name in seen else max(fitting, key=lambda kind: (seen[kind], kind), default=name)
