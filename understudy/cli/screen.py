"""Where events are shown: progress on stderr and the answer on stdout, or every event as a JSON line on stdout."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from rich.console import Console
from rich.status import Status
from rich.text import Text

from domain.events import (
    EffectRecorded,
    EffectUndone,
    Event,
    PlanProposed,
    RouteDecided,
    RunFinished,
    RunStarted,
    Stamped,
    StepFinished,
    StepStarted,
    TextStreamed,
    ToolReturned,
)
from domain.outcomes import Outcome
from domain.plans import Plan
from domain.routing import RouteDecision
from understudy.cli.markdown import print_markdown
from understudy.cli.phrases import LABEL_WIDTH, line, outcome_text, plan_text, why
from understudy.cli.render import rendered
from understudy.cli.text import clean, one_line

_TAIL = 400
"""Characters of what a model writes that are kept to be shown."""


class Screen(Protocol):
    """Shows one run."""

    def show(self, stamped: Stamped) -> None:
        """Show an event."""

    def recall(self, event: Event) -> None:
        """Take an event of an earlier process into account, without showing it again."""

    @property
    def is_live(self) -> bool:
        """Whether what models write is shown while it comes."""

    def whisper(self, text: TextStreamed) -> None:
        """Show what a model writes."""

    def pause(self) -> None:
        """Stand still, because a person is asked or the run has ended."""


@dataclass
class Progress:
    """What the events so far say about the run."""

    decision: RouteDecision | None = None
    plan: Plan | None = None
    running: dict[str, str] = field(default_factory=dict)
    """Agent by step, for the steps at work."""
    _written: dict[str, str] = field(default_factory=dict)
    """What the tools with an external effect reported, by step."""
    _effects: set[str] = field(default_factory=set)

    @property
    def written(self) -> list[str]:
        """What the run changed outside, as its tools reported it, without what was undone."""
        return list(self._written.values())

    def note(self, event: Event) -> None:
        """Take an event into account."""
        match event:
            case RouteDecided():
                self.decision = event.decision
            case PlanProposed():
                self.plan = event.plan
            case StepStarted():
                self.running[event.step] = event.agent
            case StepFinished():
                self.running.pop(event.result.step, None)
            case EffectRecorded():
                self._effects.add(event.step)
            case ToolReturned() if event.step in self._effects and not event.failure:
                self._written[event.step] = event.summary
            case EffectUndone() if not event.failure:
                self._written.pop(event.step, None)
            case _:
                pass


class TerminalScreen:
    """Shows a run to a person."""

    def __init__(self, *, plan_only: bool = False) -> None:
        self.progress = Progress()
        self._plan_only = plan_only
        self._out, self._err = console(), console(stderr=True)
        self._status: Status | None = None
        self._writing: dict[tuple[str, str | None], str] = {}

    def show(self, stamped: Stamped) -> None:
        """Print the event's lines, and the answer when the run has ended."""
        event = stamped.event
        self._note(event)
        if isinstance(event, RunFinished):
            self.pause()
            self._finish(event.outcome)
        elif isinstance(event, PlanProposed) and self._plan_only:
            self.pause()
            put(self._out, plan_text(event.plan))
        elif (text := rendered(event)) is not None:
            put(self._err, text)
        if not isinstance(event, RunFinished):
            self._spin()

    def recall(self, event: Event) -> None:
        """Keep the event in mind for the summary."""
        self._note(event)

    @property
    def is_live(self) -> bool:
        """Whether a person sees it."""
        return self._err.is_terminal

    def whisper(self, text: TextStreamed) -> None:
        """Show the end of what a model has written, in place of what is at work."""
        before = "" if text.first else self._writing.get((text.role, text.step), "")
        self._writing[text.role, text.step] = written = (before + text.text)[-_TAIL:]
        self._spin(f"{text.step or text.role}: …{one_line(written, _TAIL)[-max(self._err.width - 24, 20) :]}")

    def pause(self) -> None:
        """Take the spinner away."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _note(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self.progress = Progress()
        self.progress.note(event)

    def _spin(self, doing: str = "") -> None:
        if not self._err.is_terminal:
            return
        at_work = " · ".join(f"{step} ({agent})" for step, agent in self.progress.running.items())
        text = Text(one_line(doing or at_work or "working", max(self._err.width - 4, 20)))
        if self._status is None:
            self._status = self._err.status(text)
            self._status.start()
        self._status.update(text)

    def _finish(self, outcome: Outcome) -> None:
        if outcome.answer:
            say(self._out, outcome.answer)
        put(self._err, outcome_text(outcome))
        if self.progress.decision is not None:
            put(self._err, line("route:", why(self.progress.decision)))
        for summary in self.progress.written:
            put(self._err, line("written", one_line(summary, 300), "green"))


class JsonScreen:
    """Prints every event as one JSON line."""

    def show(self, stamped: Stamped) -> None:
        """Print the event with its stamp."""
        print_json(stamped.flat())

    def recall(self, event: Event) -> None:
        """Nothing is kept."""

    @property
    def is_live(self) -> bool:
        """Whether a person sees it: a program reads lines."""
        return False

    def whisper(self, text: TextStreamed) -> None:
        """Nothing is printed that is not stored."""

    def pause(self) -> None:
        """There is nothing to take away."""


def console(*, stderr: bool = False) -> Console:
    """Return a console that takes text literally: no markup, no emoji names, no highlighting."""
    return Console(file=sys.stderr if stderr else sys.stdout, markup=False, emoji=False, highlight=False)


@contextmanager
def starting() -> Iterator[None]:
    """Show a waiting person that something happens while the block works."""
    err = console(stderr=True)
    if not err.is_terminal:
        yield
        return
    with err.status("starting"):
        yield


def put(target: Console, text: Text) -> None:
    """Print labelled lines: wrapped beside their labels for a person, whole for a program that reads them."""
    target.print(hung(text, target) if target.is_terminal else text, soft_wrap=True)


def hung(text: Text, target: Console) -> Text:
    """Return the text wrapped to the console's width, with a free label column on continued lines."""
    width = max(target.width - LABEL_WIDTH, 20)
    lines = []
    for row in text.split("\n"):
        label, body = row[:LABEL_WIDTH], row[LABEL_WIDTH:]
        for number, part in enumerate(body.wrap(target, width)):
            lines.append(Text.assemble(label if number == 0 else " " * LABEL_WIDTH, part))
    return Text("\n").join(lines)


def say(target: Console, text: str) -> None:
    """Print an answer: as rendered Markdown to a person, as its source into a file or a pipe."""
    text = clean(text)
    if target.is_terminal:
        print_markdown(target, text)
    else:
        target.file.write(text.rstrip("\n") + "\n")


def print_json(value: object) -> None:
    """Print one JSON document on one line of stdout at once, in ASCII, so that any encoding can carry it."""
    sys.stdout.write(json.dumps(value, default=str) + "\n")
    sys.stdout.flush()
