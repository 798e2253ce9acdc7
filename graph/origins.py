"""Where the words of an effect come from: a person, somebody whom a person vouches for, or only untrusted content.

Effects happen only as steps of a plan, so their words come by two roads: written into the plan by whoever planned it,
or referred to from an earlier output. What tools read, and all that is made of it, is untrusted; memory, titles of
documents and earlier answers are as well. An effect whose recipient, path, amount, address, id or other setting comes
only from there needs a person, and so does one that the goal did not ask for.

A text for people to read (a letter, a report) may be made of untrusted content: that is the work. What it makes a
viewer load is a recipient all the same, and so are its links where the effect cannot be undone.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from agents.planning.calling import calls_for
from agents.tools.registry import Tool
from domain.contacts import identifiers_in, links_in, loaded_in
from domain.leaves import Leaf, Value, leaves_of
from domain.outcomes import Origin
from domain.plans import ITEM, PREVIOUS, RESULT, Plan, Step
from domain.targets import PATH_NAMES
from graph.context import Run
from graph.expansion import origin_of
from graph.gates import decision_for
from graph.reviews import result_review
from graph.state import State, plan_of
from graph.voices import CLOCK, Voices, voices_of

Carried = dict[str, list[str]]
"""What a person is to look at before a step writes, in words, by step id."""
_RECKONING = re.compile(r"(?:\d+(?:\.\d+)?|[-+*/%(),\s]|\b(?:of|round|mean|sum|min|max|abs|sqrt|log|exp)\b)+")
_NUMBERS = re.compile(r"\d+(?:\.\d+)?")
_DAY, _HOUR = r"\d{4}-\d\d-\d\d", r"\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:?\d\d)?"
_TIME = re.compile(rf"{_DAY}(?:[ T]{_HOUR})?|{_HOUR}")


async def carried_in(plan: Plan, state: State, run: Run, *, remembered: bool = False) -> Carried:
    """Return what a person is to look at before the steps of a new plan write, as far as the plan says it.

    Args:
        plan: A valid plan.
        state: The run's state; with results in it, whoever planned has read untrusted content.
        run: The run.
        remembered: Whether the plan was made for another goal or elsewhere: then nothing in it is vouched for.
    """
    writing = [step for step in plan.steps if step.effect == "write" and step.tool]
    if not writing:
        return {}
    voices = await voices_of(state, run)
    read = "memory" if remembered else _read(state)
    found = {step.id: [*_uncalled(step, voices, run), *_planned(step, read, voices, run)] for step in writing}
    return {step: words for step, words in found.items() if words}


def _read(state: State) -> str:
    """Return what the planner has read of untrusted content before it wrote the plan; nothing where it had not."""
    results = sorted(state.get("results", {}))
    return f"what {', '.join(results[:3])}{' and others' if results[3:] else ''} gave" if results else ""


def _uncalled(step: Step, voices: Voices, run: Run) -> Iterator[str]:
    """Yield that the goal did not ask for a step's tool; the same goal as before asks for the same tools."""
    tool = run.services.tools.tools.get(step.tool or "")
    known = step.tool in voices.tools or step.tool in run.services.team.autonomy.called_for
    if not known and (tool is None or not calls_for(voices.said, tool)):
        yield f"your goal did not ask for {step.tool!r}"


def _planned(step: Step, read: str, voices: Voices, run: Run) -> Iterator[str]:
    """Yield the words that whoever planned a step has from content that nobody vouches for."""
    tool = run.services.tools.tools.get(step.tool or "")
    for leaf in leaves_of(step.args, step.args):
        if leaf.source is not None:
            continue
        named = leaf.names[-1]
        if leaf.is_text and read != "memory":
            yield from _brought(leaf, tool, read, voices)
        elif read == "memory" and tool is not None and tool.renew is not None and named.casefold() in PATH_NAMES:
            continue  # made anew for every goal
        elif not voices.vouched(named, leaf.value):
            yield from _doubted(leaf, read, voices)


def _doubted(leaf: Leaf, read: str, voices: Voices) -> Iterator[str]:
    """Yield in words from where a value comes that nobody vouches for; what a planner thought up by itself may pass.

    An address is never thought up.
    """
    if source := read or (leaf.value is not True and voices.heard_in(leaf.value)):
        yield _in_words(leaf, source)
    elif links_in(str(leaf.value)):
        yield f"nobody has named {leaf.value!r:.100}"


def _brought(leaf: Leaf, tool: Tool | None, source: str, voices: Voices) -> Iterator[str]:
    """Yield what a text makes its reader's viewer load; and, when it cannot be called back, what else it gives away.

    That is where it leads to, and the numbers of people and accounts that it tells.
    """
    text = str(leaf.value)
    found = dict.fromkeys(loaded_in(text), "loads")
    if tool is None or tool.undo is None:
        found |= dict.fromkeys(links_in(text), "leads to") | found | dict.fromkeys(identifiers_in(text), "tells")
    for word, does in found.items():
        if not voices.vouched("url", word):
            yield f"the {leaf.names[-1]} {does} {word!r:.100}, which came from {source or 'nobody you named'}"


def _in_words(leaf: Leaf, source: str) -> str:
    what = repr(leaf.names[-1]) if leaf.value is True else f"{leaf.value!r:.100}"
    return f"{what} came from {source}, not from your request"


async def untrusted(step: Step, args: Mapping[str, Any], state: State, run: Run) -> list[str]:
    """Return what a person must see before a step acts, in words; nothing where a person stands behind all of it.

    Args:
        step: The step, with its references.
        args: Its arguments as the tool gets them.
        state: The run's state.
        run: The run.
    """
    tool = run.services.tools.tools.get(step.tool or "")
    if tool is None or tool.effect == "none":
        return []
    voices = await voices_of(state, run)
    if tool.effect == "read":
        return strange_addresses(args, voices)
    found = list(state.get("carried", {}).get(origin_of(step.id), ()))
    plan, leaves = plan_of(state), list(leaves_of(step.args, args))
    settled = any(not leaf.is_text and voices.vouched(leaf.names[-1], leaf.value) for leaf in leaves)
    for leaf in leaves:
        if leaf.source is None or origin_of_output(leaf.source, plan, voices, run) != "untrusted":
            continue
        source = _source(leaf.source, plan)
        if settled and _TIME.fullmatch(str(leaf.value)):
            continue  # of what the person has named, the time alone decides neither what it is nor to whom
        if leaf.is_text:
            found += () if _reviewed(leaf, state) else _brought(leaf, tool, source, voices)
        elif not voices.vouched(leaf.names[-1], leaf.value):
            found.append(_in_words(leaf, source))
    return list(dict.fromkeys(found))


def strange_addresses(args: Mapping[str, Any], voices: Voices) -> list[str]:
    """Return in words the addresses that a reading tool would contact and nobody has named.

    To ask an address is to tell it something: what stands in a URL has left the house.
    """
    links = (link for leaf in leaves_of({}, args) if not leaf.is_text for link in links_in(str(leaf.value)))
    found = (link for link in dict.fromkeys(links) if "@" not in link and not voices.vouched("url", link))
    return [f"nobody has named the address {link!r:.100}" for link in found]


def _reviewed(leaf: Leaf, state: State) -> bool:
    """Return whether a person has approved exactly this text as the run's result."""
    if leaf.source != RESULT:
        return False
    decision = decision_for(result_review(str(leaf.value), plan_of(state)), state)
    return decision is not None and decision.type == "approve" and decision.by != CLOCK


def _source(step_id: str, plan: Plan) -> str:
    """Return in words where an output comes from."""
    if step_id == RESULT:
        return "the answer, which was made of what the steps read"
    if step_id in (ITEM, PREVIOUS):
        return "a list that an earlier step read" if step_id == ITEM else "what the step gave before"
    step = next((step for step in plan.steps if step.id == step_id), None)
    return f"step {step_id!r} ({step.tool or step.agent})" if step else f"step {step_id!r}"


async def output_origin(step: Step, tool: Tool, state: State, run: Run) -> Origin:
    """Return who stands behind what a tool has just given."""
    if tool.effect != "none":
        return "untrusted"
    return origin_of_output(step.id, plan_of(state), await voices_of(state, run), run)


def origin_of_output(step_id: str, plan: Plan, voices: Voices, run: Run) -> Origin:
    """Return who stands behind what a step gives.

    Of a tool that only reckons with its arguments, it is whoever stands behind these; all others have read something.
    """
    step = next((step for step in plan.steps if step.id == step_id), None)
    tool = run.services.tools.tools.get(step.tool or "") if step else None
    if step is None or tool is None or tool.effect != "none" or tool.alternatives or run.services.resources:
        return "untrusted"
    if step.foreach or step.repeat:
        return "untrusted"
    weakest: Origin = "person"
    for leaf in leaves_of(step.args, step.args):
        origin = origin_of_output(leaf.source, plan, voices, run) if leaf.source else _of_literal(leaf.value, voices)
        weakest = max(weakest, origin, key=_ORDER.index)
    return weakest


_ORDER: tuple[Origin, ...] = ("person", "trusted", "untrusted")


def _of_literal(value: Value, voices: Voices) -> Origin:
    parts: list[Value] = [value]
    if isinstance(value, str) and _RECKONING.fullmatch(value):
        parts = [float(number) for number in _NUMBERS.findall(value)]
    if all(map(voices.person_said, parts)):
        return "person"
    return "trusted" if all(voices.vouched("", part) for part in parts) else "untrusted"
