"""One step of a turn on the page: who does it, which tools were called, what came of it."""

import json

from understudy.cli.text import one_line
from understudy.console.chat_state import StepView, ToolUse
from understudy.console.parts import badge, box, details, text
from understudy.console.plan_graph import sign_of
from understudy.console.prose import prose

_KINDS = {"done": "good", "failed": "bad", "held": "warn", "running": "accent", "undone": "warn"}
_MOST = 4_000
"""Characters that are shown of a step's text while the rest stays in the trace."""


class StepBox:
    """A step on the page, drawn into the element at hand."""

    def __init__(self) -> None:
        self._box = box("step", tag="details")
        with self._box:
            self._summary = box("step-summary", tag="summary")
            with box("inset stack"):
                self._task = text("", "hint break", tag="p")
                self._notes = box("stack")
                self._uses = box("stack")
                self._writing = text("", "streamed hidden", tag="p")
                self._result = box("stack")

    def paint(self, step: StepView) -> None:
        """Draw a step as far as it has come; what is folded open stays open."""
        self._head(step)
        self._task.text = step.task
        self._writing.text = step.writing
        self._writing.classes(remove="hidden") if step.writing else self._writing.classes("hidden")
        self._notes.clear()
        with self._notes:
            for note in step.notes:
                text(note, "note", tag="p")
        self._uses.clear()
        with self._uses:
            for use in step.tools:
                _tool(use)
        self._show_result(step)

    def _head(self, step: StepView) -> None:
        sign, word = sign_of(step.state)
        self._summary.clear()
        with self._summary:
            text(sign, f"step-sign {step.state}", aria_hidden="true")
            text(step.id, "step-name")
            text(step.agent, "soft small")
            badge(word, _KINDS.get(step.state, "plain"))
            if step.attempt > 1:
                badge(f"try {step.attempt}", "warn")
            if step.tools:
                text(f"{len(step.tools)} tool call{'s' * (len(step.tools) != 1)}", "soft small")
            if step.result is not None and step.result.seconds:
                text(f"{step.result.seconds:.1f} s", "soft small")

    def _show_result(self, step: StepView) -> None:
        self._result.clear()
        if (result := step.result) is None:
            return
        with self._result:
            if result.failure is not None:
                text(f"{result.failure.code}: {result.failure.message}", "wrong break", tag="p")
            if result.text:
                prose(result.text if len(result.text) <= _MOST else f"{result.text[:_MOST]} …")
            if result.sources:
                named = dict.fromkeys(one_line(f"{s.name} {s.locator}", 90) for s in result.sources)
                text(f"Sources: {'; '.join(named)}", "hint break", tag="p")
            shown = f"confidence {result.confidence:.2f}" + (" · by rules" if result.degraded else "")
            text(shown, "soft small")


def _tool(use: ToolUse) -> None:
    stands = "running" if use.seconds is None else f"{use.seconds:.2f} s"
    with details(f"{use.tool} · {'failed' if use.failure else stands}"):
        text(json.dumps(use.args, ensure_ascii=False, indent=2, default=str), "value inset", tag="pre")
        if use.summary:
            text(one_line(use.summary, 500), "hint break", tag="p")
        if use.failure:
            text(use.failure, "wrong break", tag="p")
