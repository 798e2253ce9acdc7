"""Who says what in a run: the person, what people vouch for, and content that nobody vouches for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.briefings import SUMMARY, Briefing
from domain.contacts import links_in
from domain.errors import StorageAway
from domain.leaves import Value
from domain.routing import Recall
from domain.targets import PATH_NAMES, RECIPIENT_NAMES, leaves
from domain.wording import holds, is_disguised, plain, said_words, says
from graph.context import Run
from graph.state import State
from memory.task_record import normalised

CLOCK = "timeout"
"""Who decides when nobody did; it says nothing."""
_MODEL_NAMES = frozenset({"ai", "assistant", SUMMARY})


@dataclass(frozen=True)
class Voices:
    """The texts of a run by who stands behind them."""

    said: tuple[str, ...]
    """The goal, what the person said before it in the conversation, and what people put into answers."""
    profile: tuple[str, ...] = ()
    """What people have written down about themselves and their workspace."""
    team: tuple[str, ...] = ()
    """The team file."""
    own: frozenset[str] = frozenset()
    """Values with which this workspace has reached the very same goal before."""
    tools: frozenset[str] = frozenset()
    """Tools with which it has reached the same goal, or one so similar that its plan is reused."""
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What a planner is shown and nobody vouches for, by what it is."""

    def person_said(self, value: Value) -> bool:
        """Return whether the person has named exactly this value."""
        return any(says(text, value) for text in self.said)

    def vouched(self, name: str, value: Value) -> bool:
        """Return whether a person stands behind a value of an argument.

        A list of recipients is vouched for when each of them is, a file below the output folder when its name is made
        of the person's words.
        """
        if value is True:
            return any(said_words([text], word) for text in self.said for word in name.split("_") if len(word) > 2)
        if self._vouched(value):
            return True
        if not isinstance(value, str):
            return False
        if name.casefold() in RECIPIENT_NAMES:
            parts = _recipients(value)
            return bool(parts) and not is_disguised(value) and all(map(self._vouched, parts))
        return name.casefold() in PATH_NAMES and _stays_below(value) and said_words((*self.said, _SUFFIXES), value)

    def _vouched(self, value: Value) -> bool:
        if plain(str(value)) in self.own or any(says(text, value) for text in (*self.said, *self.profile)):
            return True
        # A number or a plain word stands in any team file; only names of something are vouched for by it.
        return bool(links_in(str(value)) or "/" in str(value)) and any(says(text, value) for text in self.team)

    def heard_in(self, value: Value) -> str | None:
        """Return in which content that nobody vouches for a value stands, or None."""
        return next((what for what, texts in self.others.items() if any(holds(text, value) for text in texts)), None)


_SUFFIXES = "md txt csv json html pdf docx xlsx brief report draft final notes answer v2 v3"
"""Words that a file name may have beside those of the person."""


def _recipients(value: str) -> list[str]:
    """Return who a value names: the addresses in it, else what stands between commas."""
    if found := links_in(value):
        return found
    parts = [part.strip() for part in value.replace(";", ",").split(",")]
    return [part for part in parts if part] if len(parts) > 1 else []


def _stays_below(path: str) -> bool:
    return not path.startswith(("/", "~", "\\")) and ".." not in path and ":" not in path and "@" not in path


async def voices_of(state: State, run: Run) -> Voices:
    """Return who says what in a run."""
    briefing = Briefing.model_validate(state["briefing"])
    recall = Recall.model_validate(state.get("recall") or {"explanation": ""})
    own, tools = await _own(recall, state, run)
    return Voices(
        said=_said(state),
        profile=tuple(
            [*briefing.brand_voice.values(), *briefing.preferences.values(), *_texts(briefing.target_profiles)]
        ),
        team=tuple(_texts(run.services.team.model_dump(mode="json"))),
        own=own,
        tools=tools,
        others=_others(briefing, recall),
    )


def _said(state: State) -> tuple[str, ...]:
    turns = [str(message.text) for message in state["messages"] if message.type == "human"]
    decided = (entry["decision"] for entry in state.get("decisions", {}).values())
    edits = [d["args"] for d in decided if d.get("args") and d.get("by") != CLOCK and d["type"] == "edit"]
    return (state["goal"], *turns, *(text for args in edits for text in _texts(args)))


def _others(briefing: Briefing, recall: Recall) -> dict[str, tuple[str, ...]]:
    steps = recall.plan.steps if recall.plan else []
    remembered = [neighbour.goal for neighbour in recall.neighbours]
    remembered += [text for step in steps for text in (step.task, *_texts(step.args))]
    materials = [f"{material.name}\n{material.summary}" for material in briefing.materials]
    answers = [turn for turn in briefing.conversation if turn.split(":", 1)[0] in _MODEL_NAMES]
    found = {
        "memory": (*remembered, *briefing.past_successes, *briefing.task_history),
        "a correction in memory": tuple(correction.text for correction in briefing.corrections),
        "the documents' names and titles": tuple(materials),
        "an earlier answer": tuple(answers),
    }
    return {what: texts for what, texts in found.items() if texts}


def _texts(value: Any) -> list[str]:
    return [text for _, text in leaves(value, references=True)]


async def _own(recall: Recall, state: State, run: Run) -> tuple[frozenset[str], frozenset[str]]:
    """Return the values and tools with which this workspace itself has reached the goal; none while nobody knows."""
    if not recall.neighbours:
        return frozenset(), frozenset()
    values, tools = set[str](), set[str]()
    for neighbour in recall.neighbours:
        same = normalised(neighbour.goal) == normalised(state["goal"])
        if not same and recall.band != "reuse":
            continue
        try:
            record = await run.services.memory.get(run.context.workspace, neighbour.task)
        except StorageAway:
            return frozenset(), frozenset()
        if record is None or record.plan is None or record.origin != "run" or not record.successes:
            continue
        writing = [step for step in record.plan.steps if step.effect == "write"]
        if same or record.sequence == recall.sequence:
            tools |= {step.tool for step in writing if step.tool}
        if same:
            values |= {plain(text) for step in writing for _, text in leaves(step.args)}
    return frozenset(values), frozenset(tools)
