"""Repairs of a plan that leave no doubt, made in code before a model is asked to mend it. Pure.

Only slips are repaired: what the planner meant must be plain from the plan, the team and the tools. A name is read as
the one nearest to it, a tool goes to the one specialist who has it, an edge of a circle that points to a later step
was drawn the wrong way. Whatever would be a guess stays as it is, for validation to name and the planner to mend.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NamedTuple

from agents.planning.arguments import mended_arguments
from agents.planning.steps import without
from agents.team import Team
from agents.tools.registry import Toolbox
from domain.plans import ITEM, PREVIOUS, RESULT, Effect, Plan, Step
from domain.privacy import scope_for
from domain.validation import MAX_STEPS, unreachable

SIMILAR = 0.8
"""How alike two names must be for one to be a slip of the other, 0-1 (`difflib.SequenceMatcher.ratio`)."""
_EFFECTS: tuple[Effect, ...] = ("none", "read", "write")
_SENSITIVE = ("personal", "secret")
_RESERVED = {RESULT, ITEM, PREVIOUS}


class Repaired(NamedTuple):
    """A plan with its slips mended."""

    plan: Plan
    repairs: list[str]
    """What was done, one clause each; empty where nothing was."""


@dataclass(frozen=True)
class Means:
    """What a plan can be made of."""

    team: Team
    tools: Toolbox


def repaired(plan: Plan, means: Means) -> Repaired:
    """Return the plan with what code can mend; other problems stay in it. A plan that is too long is left alone."""
    steps, repairs = list(plan.steps), list[str]()
    for mend in _MENDERS if len(steps) <= MAX_STEPS else ():
        mended = mend(steps, means, repairs.append)
        steps = mended or steps  # a plan has at least one step
    return Repaired(plan.model_copy(update={"steps": steps}), repairs) if repairs else Repaired(plan, repairs)


Say = Callable[[str], None]
"""Takes one clause on what was repaired."""
Mender = Callable[[Sequence[Step], Means, Say], list[Step]]


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """Return the one choice that a misspelt name can only mean, or None."""
    named = {_plain(choice): choice for choice in choices}
    found = get_close_matches(_plain(word), named, n=2, cutoff=SIMILAR)
    if len(found) == 1 or _plain(word) in found:
        return named[found[0]]
    return None


def _plain(name: str) -> str:
    return name.casefold().replace("-", "_").replace(" ", "_")


def _repetitions(steps: Sequence[Step], _: Means, say: Say) -> list[Step]:
    """Leave out a step that says the same as an earlier one; give one that only shares its id another id."""
    kept: dict[str, Step] = {}
    for step in steps:
        if kept.get(step.id) == step:
            say(f"the second {step.id!r} was left out")
            continue
        name = step.id
        if name in kept or name in _RESERVED:
            taken = kept.keys() | {s.id for s in steps} | _RESERVED
            name = next(n for i in range(2, 1000) if (n := f"{step.id[:36]}_{i}") not in taken)
            say(f"a step that had the id {step.id!r} is now {name!r}")
        kept[name] = step if name == step.id else step.model_copy(update={"id": name})
    return list(kept.values())


def _agents(steps: Sequence[Step], means: Means, say: Say) -> list[Step]:
    names = {specialist.name for specialist in means.team.specialists}
    return [step if step.agent in names else _given(step, _meant_agent(step, names, means), say) for step in steps]


def _meant_agent(step: Step, names: set[str], means: Means) -> str | None:
    return nearest(step.agent, names) or _owner(step.tool, means)


def _owner(tool: str | None, means: Means) -> str | None:
    """Return the only specialist who has a tool, or None."""
    owners = [s.name for s in means.team.specialists if tool in s.tools]
    return owners[0] if len(owners) == 1 else None


def _given(step: Step, agent: str | None, say: Say) -> Step:
    if agent is None:
        return step
    say(f"{step.id!r} went from {step.agent!r} to {agent!r}")
    return step.model_copy(update={"agent": agent})


def _tools(steps: Sequence[Step], means: Means, say: Say) -> list[Step]:
    """Spell the tools right, give them to who has them, and let steps have the effects that their tools have."""
    return [_tooled(step, means, say) for step in steps]


def _tooled(step: Step, means: Means, say: Say) -> Step:
    team = {s.name: s for s in means.team.specialists}
    if step.tool is None or step.agent not in team:
        return step
    own = team[step.agent].tools
    if step.tool not in means.tools.tools and step.tool not in own and (meant := nearest(step.tool, own)):
        say(f"the tool {step.tool!r} of {step.id!r} is {meant!r}")
        step = step.model_copy(update={"tool": meant})
    tool = means.tools.tools.get(step.tool or "")
    if step.tool not in own and (tool is None or tool.effect != "write"):  # who may write is no slip
        step = _given(step, _owner(step.tool, means), say)
    if tool is not None and _EFFECTS.index(tool.effect) > _EFFECTS.index(step.effect):
        say(f"{step.id!r} has the effect {tool.effect!r} of {tool.name!r}")
        step = step.model_copy(update={"effect": tool.effect})
    return step


def _arguments(steps: Sequence[Step], means: Means, say: Say) -> list[Step]:
    return [mended_arguments(step, means.tools.tools.get(step.tool or ""), say) for step in steps]


def _references(steps: Sequence[Step], _: Means, say: Say) -> list[Step]:
    """Let needs that name no step mean the step with nearly that id, or the only step of the agent that they name."""
    return [_referring(step, [other for other in steps if other.id != step.id], say) for step in steps]


def _referring(step: Step, others: Sequence[Step], say: Say) -> Step:
    ids = {other.id for other in others} | {RESULT}
    needs = list[str]()
    for need in step.needs:
        meant = need if need in ids else _meant_step(need, others)
        if need == step.id:
            say(f"{step.id!r} does not wait for itself")
        elif meant and meant != need:
            say(f"{need!r} in {step.id!r} is {meant!r}")
            needs.append(meant)
        else:
            needs.append(need)
    return step if needs == step.needs else step.model_copy(update={"needs": list(dict.fromkeys(needs))})


def _meant_step(need: str, others: Sequence[Step]) -> str | None:
    of_agent = [other.id for other in others if other.agent == need]
    return of_agent[0] if len(of_agent) == 1 else nearest(need, [other.id for other in others])


def _circles(steps: Sequence[Step], _: Means, say: Say) -> list[Step]:
    """Drop the needs on a circle that point to a step further down: steps are listed in the order they are meant in."""
    place = {step.id: i for i, step in enumerate(steps)}
    reach = _reach(steps)
    mended = []
    for step in steps:
        wrong = [n for n in step.needs if place.get(n, -1) > place[step.id] and step.id in reach.get(n, set())]
        for need in wrong:
            say(f"{step.id!r} does not wait for {need!r}, which comes after it")
        rest = [need for need in step.needs if need not in wrong]
        mended.append(step.model_copy(update={"needs": rest}) if wrong else step)
    return mended


def _reach(steps: Sequence[Step]) -> dict[str, set[str]]:
    """Return for each step all that it waits for, directly or not, in a graph that may have circles."""
    inputs = {step.id: step.inputs() for step in steps}
    found: dict[str, set[str]] = {}
    for start in inputs:
        seen, todo = set[str](), list(inputs[start])
        while todo:
            if (step_id := todo.pop()) not in seen:
                seen.add(step_id)
                todo += inputs.get(step_id, ())
        found[start] = seen
    return found


def _never(steps: Sequence[Step], _: Means, say: Say) -> list[Step]:
    """Leave out the steps that can never run."""
    reach = _reach(steps)
    if any(step.id in reach[step.id] for step in steps):
        return list(steps)  # validation names the circle
    never = set(unreachable(Plan(steps=list(steps))))
    rest = without(steps, never)
    for step_id in sorted({step.id for step in steps} - {step.id for step in rest} if rest else ()):
        say(f"{step_id!r} was left out, since it could never run")
    return rest


def _twins(steps: Sequence[Step], _: Means, say: Say) -> list[Step]:
    """Leave out a step that does what an earlier one does and changes nothing; who read it reads the earlier one."""
    first, instead = dict[str, str](), dict[str, str]()
    for step in steps:
        key = step.model_copy(update={"id": "same"}).model_dump_json()
        if step.effect != "write" and first.setdefault(key, step.id) != step.id:
            instead[step.id] = first[key]
    read_otherwise = {i for s in steps for i in s.inputs() - set(s.needs)}
    instead = {twin: one for twin, one in instead.items() if twin not in read_otherwise}
    for twin, one in instead.items():
        say(f"{twin!r} was left out, since {one!r} does the same")
    return [_rewired(step, instead) for step in steps if step.id not in instead]


def _rewired(step: Step, instead: dict[str, str]) -> Step:
    if not instead.keys() & set(step.needs):
        return step
    return step.model_copy(update={"needs": list(dict.fromkeys(instead.get(n, n) for n in step.needs))})


def _consents(steps: Sequence[Step], _: Means, say: Say) -> list[Step]:
    """Name the consent that a step with personal or secret data needs, so that a person is asked for it."""
    mended = []
    for step in steps:
        if step.privacy in _SENSITIVE and not step.consent:
            say(f"{step.id!r} asks for the consent {consent_for(step)!r}")
            step = step.model_copy(update={"consent": [consent_for(step)]})
        mended.append(step)
    return mended


def consent_for(step: Step) -> str:
    """Return the scope of the consent that a step's class of data needs."""
    return scope_for(step.privacy)


_MENDERS: tuple[Mender, ...] = (
    _repetitions, _agents, _tools, _arguments, _references, _circles, _never, _twins, _consents,
)  # fmt: skip
