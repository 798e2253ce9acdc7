"""Carried words: what the arguments of a writing step bring along from memory and the person never said.

A remembered goal, result or correction may hold an instruction that somebody else planted. It cannot add a tool or an
effect, because plans are validated; and what it may put into an argument (a recipient, a path, a text) is shown to a
person before the step does anything, whatever the checkpoints say.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from agents.tools.registry import Toolbox
from domain.errors import StorageAway
from domain.plans import Plan, Step, as_ref
from domain.routing import Recall
from graph.context import Run
from graph.state import State
from memory.task_record import normalised

Carried = dict[str, list[str]]
"""Words by step id."""


async def carried_from_memory(plan: Plan, recall: Recall, state: State, run: Run) -> Carried:
    """Return the words of a reused plan's writing steps that neither the person said nor a tool made anew.

    What this workspace has itself run for the very same goal is not carried.
    """
    own = await _own_words(recall, state["goal"], run)
    return _carried(plan, run.services.tools, lambda word: word not in own and not _said(word, state))


def carried_by_planner(plan: Plan, recall: Recall, state: State, run: Run) -> Carried:
    """Return the words of a new plan's writing steps that stand in what was recalled and not in what was said."""
    remembered = [n.goal for n in recall.neighbours] + [w for s in _writing(recall.plan) for w in _words(s.args)]
    remembered += [correction["text"] for correction in state["briefing"].get("corrections", [])]
    return _carried(
        plan,
        run.services.tools,
        lambda word: any(_holds(text, word) for text in remembered) and not _said(word, state),
    )


def _carried(plan: Plan, tools: Toolbox, suspect: Callable[[str], bool]) -> Carried:
    found = {
        step.id: [w for w in _words(step.args) if suspect(w)] for step in _writing(plan) if not _renews(step, tools)
    }
    return {step: words for step, words in found.items() if words}


def _writing(plan: Plan | None) -> list[Step]:
    return [step for step in plan.steps if step.effect == "write"] if plan else []


def _renews(step: Step, tools: Toolbox) -> bool:
    """Return whether the step's tool makes its arguments anew for every goal."""
    tool = tools.tools.get(step.tool or "")
    return tool is not None and tool.renew is not None


async def _own_words(recall: Recall, goal: str, run: Run) -> set[str]:
    same = [n.task for n in recall.neighbours if normalised(n.goal) == normalised(goal)]
    try:
        records = [await run.services.memory.get(run.context.workspace, task) for task in same]
    except StorageAway:
        return set()  # nobody can vouch for the words now
    plans = [r.plan for r in records if r and r.origin == "run" and r.successes and r.sequence == recall.sequence]
    return {word for plan in plans for step in _writing(plan) for word in _words(step.args)}


def _said(word: str, state: State) -> bool:
    """Return whether the person said it, in the goal or earlier in the conversation."""
    turns = [state["goal"], *(m.text for m in state["messages"] if m.type == "human")]
    return any(_holds(str(turn), word) for turn in turns)


def _holds(text: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word.casefold())}(?!\w)", text.casefold()) is not None


def _words(value: Any) -> Iterable[str]:
    """Yield every literal of the arguments; references take their values from this run."""
    if isinstance(value, dict):
        for item in value.values() if as_ref(value) is None else ():
            yield from _words(item)
    elif isinstance(value, list):
        for item in value:
            yield from _words(item)
    elif isinstance(value, str | int | float) and not isinstance(value, bool) and str(value).strip():
        yield str(value).strip()
