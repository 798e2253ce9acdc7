"""Tools that answer from a recording: what was asked like this before gives what it gave before."""

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from agents.exchanges.calls import RecordedTool
from agents.exchanges.keeping import asker
from agents.tools.registry import Attempt, Tool, ToolOutput, Verdict
from domain import errors
from domain.outcomes import Source
from evals.recording.replay import Drift, Mode, ReplayMiss

_TOOL = "tool"
"""Role under which a tool's drift is reported."""


class ToolReplay:
    """One replay of what a task's tools gave: every recorded call answers once."""

    def __init__(self, recorded: Sequence[RecordedTool], mode: Mode = "strict") -> None:
        self.mode = mode
        self.drifts: list[Drift] = []
        """What was asked and not recorded, in the order in which it was asked."""
        self._left = list(recorded)
        self._asked = 0

    @property
    def unused(self) -> list[RecordedTool]:
        """Recorded calls that nobody made."""
        return list(self._left)

    def take(self, tool: str, args: Mapping[str, Any]) -> RecordedTool:
        """Return what was recorded of a call; tolerantly, that of the tool's next call where none has these arguments.

        Of calls that are alike the first one goes first; for a step that asks in parallel with others, its own first.

        Raises:
            ReplayMiss: There is nothing.
        """
        self._asked += 1
        same = [call for call in self._left if call.tool == tool]
        alike = [call for call in same if _form(call.args) == _form(args)]
        own = [call for call in alike if call.step == asker().step]
        found = next(iter([*own, *alike]), None)
        if found is None:
            usable = self.mode == "tolerant" and bool(same)
            drift = Drift(_TOOL, tool, self._asked, _diff(same, tool, args), usable)
            self.drifts.append(drift)
            if not usable:
                raise ReplayMiss(drift)
            found = same[0]
        self._left = [call for call in self._left if call is not found]
        return found

    def around(self, tool: Tool) -> Tool:
        """Return a tool that gives what it gave when it was recorded, and touches nothing."""

        async def run(arguments: BaseModel, key: str = "") -> ToolOutput:
            return output(self.take(tool.name, _json(arguments)))

        async def prepare(arguments: BaseModel) -> dict[str, Any]:
            return output(self.take(f"{tool.name}.prepare", _json(arguments))).data

        async def verify(attempt: Attempt) -> Verdict:
            found = self.take(f"{tool.name}.verify", _json(attempt.args))
            given = output(found)
            return Verdict(found.data["state"], replace(given, data={}) if given.text else None)

        async def undo(attempt: Attempt, done: ToolOutput) -> ToolOutput:
            return output(self.take(f"{tool.name}.undo", _json(attempt.args)))

        return replace(
            tool, run=run, check=None,
            prepare=prepare if tool.prepare else None,
            verify=verify if tool.verify else None,
            undo=undo if tool.undo else None,
        )  # fmt: skip


def output(recorded: RecordedTool) -> ToolOutput:
    """Return what a recorded call gave, or raise what it raised."""
    if recorded.failure:
        raise _error(recorded)
    sources = tuple(Source.model_validate(source) for source in recorded.sources)
    return ToolOutput(recorded.text, recorded.data, sources, empty=recorded.empty)


def _error(recorded: RecordedTool) -> errors.ToolError:
    kinds: dict[str, type[errors.ToolError]] = {kind.code: kind for kind in _family(errors.ToolError)}
    return kinds.get(recorded.failure, errors.ToolError)(recorded.reason)


def _family(kind: type[errors.ToolError]) -> list[type[errors.ToolError]]:
    return [kind, *(each for child in kind.__subclasses__() for each in _family(child))]


def _json(arguments: BaseModel) -> dict[str, Any]:
    return arguments.model_dump(mode="json", fallback=str, warnings=False)


def _form(args: Mapping[str, Any]) -> str:
    return json.dumps(args, sort_keys=True, ensure_ascii=False, default=str)


def _diff(same: Sequence[RecordedTool], tool: str, args: Mapping[str, Any]) -> str:
    if not same:
        return f"(no call of {tool} is left in the recording)\n+{_form(args)}"
    lines = difflib.unified_diff([_form(same[0].args)], [_form(args)], "recorded", "asked now", lineterm="", n=0)
    return "\n".join(lines)
