"""The parts that prompts are filled with: team, tools, materials, memories and results, as text for a model.

What the team file says is instruction; what was read, remembered or produced is quoted.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agents.structured import untitled
from agents.team import Specialist, Team
from agents.tools.registry import Tool, Toolbox
from domain.briefings import Briefing
from domain.outcomes import StepResult
from domain.routing import Neighbour, Recall
from prompts.quoting import quoted

NONE = "none"
RESULT_CHARS = 8000
"""Characters of one result's text, and of its data, that a prompt shows."""
_ROWS = 50
"""Rows of a table that a prompt shows."""
_CIRCUMSTANCES = (
    "preferences", "target_profiles", "past_successes", "task_history", "performance", "budget_constraints",
)  # fmt: skip
"""Fields of the briefing that are shown as they are."""
_TURNS = 12
"""Turns of the conversation that a prompt shows."""


def team(team: Team) -> str:
    """Return who the team is."""
    return f"{team.name} - {team.description}"


def constraints(team: Team) -> str:
    """Return the team's hard rules as a list."""
    return bullets(team.constraints)


def specialists(team: Team) -> str:
    """Return each specialist with what it is for and which tools it has."""
    return bullets(_specialist(s) for s in team.specialists)


def _specialist(specialist: Specialist) -> str:
    able = f" Good at: {', '.join(specialist.capabilities)}." if specialist.capabilities else ""
    return f"`{specialist.name}`: {specialist.description}{able} Tools: {', '.join(specialist.tools) or NONE}."


def tools(box: Toolbox) -> str:
    """Return each tool with its effect and its arguments as a compact JSON schema."""
    return bullets(_tool(tool) for tool in box.tools.values())


def _tool(tool: Tool) -> str:
    schema = json.dumps(untitled(tool.parameters.model_json_schema()), separators=(",", ":"), ensure_ascii=False)
    return f"`{tool.name}` (effect: {tool.effect}): {tool.description} Arguments: {schema}"


def voice(team: Team, briefing: Briefing) -> str:
    """Return the brand voice: the workspace's over the team's."""
    return pairs(team.brand_voice | briefing.brand_voice)


def thresholds(briefing: Briefing) -> str:
    """Return the quality the workspace asks for."""
    return pairs(briefing.quality_thresholds)


def circumstances(briefing: Briefing) -> str:
    """Return what is known about the user and the workspace."""
    known = {name: getattr(briefing, name) for name in _CIRCUMSTANCES if getattr(briefing, name)}
    return quoted("circumstances", compact(known), limit=RESULT_CHARS) if known else NONE


def materials(briefing: Briefing) -> str:
    """Return the documents and tables at hand."""
    lines = [f"- {m.name} ({m.kind}){f': {m.summary}' if m.summary else ''}" for m in briefing.materials]
    return quoted("materials", "\n".join(lines)) if lines else NONE


def conversation(briefing: Briefing) -> str:
    """Return the latest turns of the session."""
    turns = briefing.conversation[-_TURNS:]
    return quoted("conversation", "\n".join(turns), limit=RESULT_CHARS) if turns else NONE


def memories(recall: Recall) -> str:
    """Return similar tasks done before."""
    return quoted("memories", "\n".join(map(_memory, recall.neighbours))) if recall.neighbours else NONE


def _memory(neighbour: Neighbour) -> str:
    quality = f", quality {neighbour.quality:.2f}" if neighbour.quality is not None else ""
    ended = "succeeded" if neighbour.success else "failed"
    return (
        f"- {neighbour.goal} -> {' > '.join(neighbour.sequence)} ({ended}{quality}, {neighbour.similarity:.2f} alike)"
    )


def corrections(briefing: Briefing) -> str:
    """Return what people corrected in earlier results of similar goals, each as a block of its own."""
    told = [f"Goal then: {c.goal}\nA person corrected the result: {c.text}" for c in briefing.corrections]
    return "\n".join(quoted("correction", text, limit=RESULT_CHARS) for text in told) or NONE


def results(results: Iterable[StepResult], *, limit: int = RESULT_CHARS) -> str:
    """Return the results of steps, each as a block of its own with at most `limit` characters of text."""
    return "\n\n".join(_result(result, limit) for result in results) or NONE


def _result(result: StepResult, limit: int) -> str:
    head = f"Step {result.step} by {result.agent}: {result.status}"
    if result.failure:
        head += f" ({result.failure.code}: {result.failure.message})"
    parts = [quoted(f"{result.step} status", head)]
    if result.text:
        parts.append(quoted(f"{result.step} text", result.text, limit=limit))
    if result.data:
        parts.append(quoted(f"{result.step} data", _data(result.data), limit=RESULT_CHARS))
    if result.sources:
        parts.append(quoted(f"{result.step} sources", bullets(_sources(result))))
    return "\n".join(parts)


def _sources(result: StepResult) -> list[str]:
    lines = (
        f"[{s.name}]{f' {s.locator}' if s.locator else ''}{f': {s.quote}' if s.quote else ''}" for s in result.sources
    )
    return list(dict.fromkeys(lines))


def _data(data: Mapping[str, Any]) -> str:
    rows = data.get("rows")
    if isinstance(rows, Sequence) and len(rows) > _ROWS:
        data = {**data, "rows": rows[:_ROWS], "rows_left_out": len(rows) - _ROWS}
    return compact(data)


def compact(value: Any) -> str:
    """Return a value as JSON without blanks; what JSON lacks (dates, decimals) becomes text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def pairs(values: Mapping[str, Any]) -> str:
    """Return `key: value` pairs on one line."""
    return "; ".join(f"{key}: {value}" for key, value in values.items()) or NONE


def bullets(lines: Iterable[str]) -> str:
    """Return the lines as a Markdown list."""
    return "\n".join(f"- {line}" for line in lines) or NONE
