"""The conversation so far as roles are told of it: the latest turns as they were said, older ones as a summary.

All of it stays below a number of tokens, however long the thread gets. Nothing is taken from the thread itself: what
the person said stays in its messages, and who reads those (`graph.voices`) knows every word.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from langchain_core.messages import AnyMessage, HumanMessage
from langchain_core.messages.utils import count_tokens_approximately

from agents.contracts import FoldingRequest
from agents.rules.follow_ups import refers_back
from domain.briefings import SUMMARY, Briefing, Earlier
from domain.errors import LimitReached
from domain.events import RoleDegraded
from domain.outcomes import Outcome, StepResult
from domain.plans import Privacy
from domain.privacy import CLASSES, most_private
from graph.context import Run
from graph.privacy import briefing_for, privacy_of, summariser_for
from graph.state import TURN_PRIVACY, JsonDict, State, dumped, plan_of, results_of

MOST_TURNS = 6
"""Messages that are told as they were said."""
KEPT_TURNS = 4
"""Those that are left when older ones are folded, so that not every turn has to fold again."""
EARLIER_GOALS = 3
"""Goals of the thread whose results are kept for follow-ups."""
_CHARS_PER_TOKEN = 4
_WORDS_PER_TOKEN = 0.6
_ROWS = 50
_TEXT_CHARS = 4000
_DATA_CHARS = 20_000


class Conversation(NamedTuple):
    """What roles are told of the conversation."""

    turns: list[str]
    """Oldest first, `speaker: text`; the first one may be the summary."""
    privacy: list[Privacy]
    """How private each of them is."""
    folded: JsonDict
    """What the state keeps of the summary: `text`, `upto` (messages that are in it), `privacy`."""


async def conversation_of(state: State, run: Run) -> Conversation:
    """Return the conversation before the goal, folded as far as the budget wants it."""
    earlier, room = state["messages"][:-1], _room(run)
    folded = state.get("folded") or {}
    upto = int(folded.get("upto", 0)) if folded.get("upto", 0) <= len(earlier) else 0
    recent = earlier[upto:]
    if len(recent) > MOST_TURNS or _tokens(map(_line, recent)) > room:
        kept = _fitting(recent, room // 2)
        folded = await _folded(folded, recent[: len(recent) - kept], upto, room, run)
        recent = recent[len(recent) - kept :]
    summary = [f"{SUMMARY}: {folded['text']}"] if folded.get("text") else []
    classes: list[Privacy] = [folded["privacy"]] if summary else []
    left = room - _tokens(summary)
    lines = [_clipped(_line(message), left // max(1, len(recent))) for message in recent]
    lines = lines if _tokens(map(_line, recent)) > left else [_line(message) for message in recent]
    return Conversation([*summary, *lines], [*classes, *map(turn_privacy, recent)], folded)


def _room(run: Run) -> int:
    """Return the tokens that turns may take; the other half is for results that a follow-up asks about."""
    return run.services.limits.conversation_tokens // 2


def chars_of_earlier(run: Run) -> int:
    """Return the characters that earlier results may take."""
    return run.services.limits.conversation_tokens // 2 * _CHARS_PER_TOKEN


def _fitting(recent: Sequence[AnyMessage], tokens: int) -> int:
    """Return how many of the latest messages stay as they are; the last one always does."""
    kept = 1
    while kept < min(KEPT_TURNS, len(recent)) and _tokens(map(_line, recent[-kept - 1 :])) <= tokens:
        kept += 1
    return kept


async def _folded(folded: JsonDict, turns: Sequence[AnyMessage], upto: int, room: int, run: Run) -> JsonDict:
    """Return the summary with more turns in it; what no role may be told is left out of it."""
    if not turns:
        return folded
    told = Briefing(
        workspace=run.context.workspace, conversation=[_line(turn) for turn in turns],
        conversation_privacy=[turn_privacy(turn) for turn in turns],
    )  # fmt: skip
    shown = briefing_for(told, run)
    pairs = zip(told.conversation, shown.conversation, told.conversation_privacy, strict=True)
    visible = [(after, data) for before, after, data in pairs if before == after]
    privacy = most_private([folded.get("privacy", "internal"), *(data for _, data in visible)])
    request = FoldingRequest(
        goal="", briefing=Briefing(workspace=run.context.workspace), team=run.services.team, emit=run.emit,
        summary=folded.get("text", ""), turns=[_clipped(turn, room // 2) for turn, _ in visible],
        words=int(room // 4 * _WORDS_PER_TOKEN),
    )  # fmt: skip
    role, twin = summariser_for(privacy, run)
    try:
        draft = await role(request)
    except LimitReached as limit:  # a summary is no reason to end a run
        run.emit(RoleDegraded(role="summariser", reason=str(limit)))
        draft = await twin(request)
    return {"text": _clipped(draft.text, room // 4), "upto": upto + len(turns), "privacy": privacy}


def _line(message: AnyMessage) -> str:
    return f"{message.type}: {message.text}"


def _tokens(lines: Iterable[str]) -> int:
    return count_tokens_approximately([HumanMessage("\n".join(lines))])


def _clipped(text: str, tokens: int) -> str:
    """Return the beginning of a text that takes at most about so many tokens."""
    most = max(tokens, 16) * _CHARS_PER_TOKEN
    return text if len(text) <= most else f"{text[: most - 40]}\n[cut: {len(text) - most + 40} more characters]"


def turn_privacy(message: AnyMessage) -> Privacy:
    """Return how private a turn of the conversation is; one that says something unknown is taken for secret."""
    said = message.additional_kwargs.get(TURN_PRIVACY, "internal")
    return next((data for data in CLASSES if data == said), "secret")


def earlier_of(state: State) -> list[JsonDict]:
    """Return the results of the thread's latest goals, the last one's with them: what follow-ups are answered from."""
    kept = state.get("earlier", [])
    if not state.get("outcome") or not state.get("goal"):
        return kept
    outcome = Outcome.model_validate(state["outcome"])
    if outcome.status not in ("done", "replied") or not outcome.answer:
        return kept
    results = [_short(result) for result in results_of(state).values() if result.status == "done"]
    if not results and not (kept and refers_back(state["goal"])):  # small talk is nothing to come back to
        return kept
    data = privacy_of(plan_of(state), results_of(state).values()) if results else kept[-1]["privacy"]
    told = Earlier(
        goal=state["goal"][:_TEXT_CHARS], answer=outcome.answer[:_DATA_CHARS], results=results,
        privacy=most_private(["internal", data]),
    )  # fmt: skip
    worked = [one for one in kept if one["results"]]  # of follow-ups the latest is enough
    return [*worked[-EARLIER_GOALS:], dumped(told)] if not results else [*worked, dumped(told)][-EARLIER_GOALS:]


def _short(result: StepResult) -> StepResult:
    """Return a result without what is too long to be kept for follow-ups."""
    data = dict(result.data)
    for name in ("rows", "figures"):
        if isinstance(data.get(name), list):
            data[name] = data[name][:_ROWS]
    fits = len(str(data)) <= _DATA_CHARS
    return result.model_copy(update={"text": result.text[:_TEXT_CHARS], "data": data if fits else {}, "parts": []})


def meant(goal: str, earlier: Sequence[JsonDict]) -> list[Earlier]:
    """Return the earlier results that a goal asks about; none where it does not look back."""
    return [Earlier.model_validate(one) for one in earlier] if earlier and refers_back(goal) else []
