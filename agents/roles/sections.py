"""The parts that prompts are filled with: team, tools, materials, memories and results, as text for a model.

What the team file says is instruction; what was read, remembered or produced is quoted.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agents.contracts import Request
from agents.roles.repetition import plain, texts_of, untold
from agents.structured import untitled
from agents.team import Specialist, Team
from agents.tools.registry import Tool, Toolbox, schema_of
from domain.briefings import Briefing, Earlier
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
_TOLD_BY_MEMORY = frozenset({"past_successes", "task_history"})
"""Those that say again what the similar tasks say."""
_FOLLOW_UP = (
    "The request asks about what was found before in this conversation. Reply from these results, in the form that is "
    "wanted; plan only what cannot be answered from them."
)


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


def tools_in_short(box: Toolbox) -> str:
    """Return each tool with its effect, for who need not call it."""
    return bullets(_in_short(tool) for tool in box.tools.values())


def _tool(tool: Tool) -> str:
    schema = json.dumps(untitled(schema_of(tool.parameters)), separators=(",", ":"), ensure_ascii=False)
    return f"{_in_short(tool)} Arguments: {schema}"


def _in_short(tool: Tool) -> str:
    return f"`{tool.name}` (effect: {tool.effect}): {tool.description}"


def voice(team: Team, briefing: Briefing) -> str:
    """Return the brand voice: the workspace's over the team's."""
    return pairs(team.brand_voice | briefing.brand_voice)


def thresholds(briefing: Briefing) -> str:
    """Return the quality the workspace asks for."""
    return pairs(briefing.quality_thresholds)


def circumstances(briefing: Briefing, recall: Recall | None = None) -> str:
    """Return what is known about the user and the workspace, beside the memories where they are shown, too."""
    left_out = _TOLD_BY_MEMORY if recall and recall.neighbours else frozenset()
    names = [name for name in _CIRCUMSTANCES if name not in left_out]
    known = {name: getattr(briefing, name) for name in names if getattr(briefing, name)}
    return quoted("circumstances", compact(known), limit=RESULT_CHARS) if known else NONE


def materials(briefing: Briefing) -> str:
    """Return the documents and tables at hand."""
    lines = [f"- {m.name} ({m.kind}){f': {m.summary}' if m.summary else ''}" for m in briefing.materials]
    return quoted("materials", "\n".join(lines)) if lines else NONE


def goal(request: Request) -> str:
    """Return the goal, with what was said before it where it goes on with a conversation: it may refer to that."""
    if not request.briefing.conversation:
        return request.goal
    return f"{request.goal}\n\nSaid before in this conversation:\n{conversation(request.briefing)}"


def conversation(briefing: Briefing) -> str:
    """Return the latest turns of the session."""
    turns = briefing.conversation
    return quoted("conversation", "\n".join(turns)) if turns else NONE


def earlier(briefing: Briefing, chars: int) -> str:
    """Return what earlier goals came to, with what the request may do with it; empty where it does not ask for it."""
    if not briefing.earlier:
        return ""
    share = chars // len(briefing.earlier)
    blocks = [quoted(f"earlier goal {n}", _earlier(one), limit=share) for n, one in enumerate(briefing.earlier, 1)]
    return "\n".join(["", "", _FOLLOW_UP, *blocks])


def _earlier(one: Earlier) -> str:
    parts = [f"Goal: {one.goal}", f"Answer: {one.answer}"]
    for result in one.results:
        places = [f"{s.name}, {s.locator}" if s.locator else s.name for s in result.sources]
        data = compact(_short(untold(result.data, one.answer, places)))
        parts += [f"Step {result.step} by {result.agent}: {data if data != '{}' else ''} {'; '.join(places)}".rstrip()]
    return "\n".join(parts)


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


def results(results: Iterable[StepResult], *, limit: int = RESULT_CHARS, keys: bool = False, draft: str = "") -> str:
    """Return the results of steps, each as a block of its own in which nothing stands twice.

    Args:
        results: What the steps gave.
        limit: Characters of a result's text.
        keys: Whether the keys of its data are named, for who writes references to them.
        draft: Text that is shown beside them; what a model wrote and is this text is not written out again. What a
            tool gave is: it is what the draft is held against.
    """
    return "\n\n".join(_result(result, limit, keys, draft) for result in results) or NONE


def _result(result: StepResult, limit: int, keys: bool, draft: str) -> str:
    head = f"Step {result.step} by {result.agent}: {result.status}"
    if result.failure:
        head += f" ({result.failure.code}: {result.failure.message})"
    if keys and result.data:
        head += f"; keys of its data: {', '.join(result.data)}"
    parts = [quoted(f"{result.step} status", head)]
    if result.text:
        is_draft = result.usage.calls > 0 and plain(result.text) == plain(draft)
        shown = "(the draft below)" if is_draft else result.text
        parts.append(quoted(f"{result.step} text", shown, limit=limit))
    places = [source.locator for source in result.sources]
    data = compact(_short(untold(result.data, result.text[:limit], places)))
    if data != "{}":
        parts.append(quoted(f"{result.step} data", data, limit=RESULT_CHARS))
    if result.sources:
        told = [result.text[:limit], *(texts_of(result.data) if len(data) <= RESULT_CHARS else ())]
        parts.append(quoted(f"{result.step} sources", bullets(_sources(result, told))))
    return "\n".join(parts)


def _sources(result: StepResult, told: Sequence[str]) -> list[str]:
    """Return each source once; a quote that stands in what is told anyway is left out."""
    known = [plain(text) for text in told]
    lines = []
    for source in result.sources:
        quote = plain(source.quote.removesuffix("…").removesuffix("[...]"))
        shown = "" if any(quote in text for text in known) else source.quote
        lines.append(f"[{source.name}]{f' {source.locator}' if source.locator else ''}{f': {shown}' if shown else ''}")
    return list(dict.fromkeys(lines))


def _short(data: Mapping[str, Any]) -> Mapping[str, Any]:
    rows = data.get("rows")
    if isinstance(rows, Sequence) and len(rows) > _ROWS:
        return {**data, "rows": rows[:_ROWS], "rows_left_out": len(rows) - _ROWS}
    return data


def compact(value: Any) -> str:
    """Return a value as JSON without blanks; what JSON lacks (dates, decimals) becomes text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def pairs(values: Mapping[str, Any]) -> str:
    """Return `key: value` pairs on one line."""
    return "; ".join(f"{key}: {value}" for key, value in values.items()) or NONE


def bullets(lines: Iterable[str]) -> str:
    """Return the lines as a Markdown list."""
    return "\n".join(f"- {line}" for line in lines) or NONE
